"""Slugs in words: each that the database can hold has one, and a newer one is shown as it is."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from flask import Flask
from flask_babel import force_locale

from forms.differences import ASPECTS, TEXTS
from forms.errors import FindingKind
from server.jobs import JOBS
from server.openrosa.routes import _list_rules
from server.web.labels import LABELS, label, word_details
from sync.golden import Ground
from sync.models import DEVICE_STATES, SITE_KINDS, SUBMISSION_STATES
from sync.policy import DATA_CLASSES, ROLES


@pytest.fixture(autouse=True)
def english(app: Flask) -> Iterator[None]:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        yield


@pytest.mark.parametrize(
    ("family", "slugs"),
    [
        ("role", ROLES),
        ("site_kind", SITE_KINDS),
        ("submission_state", SUBMISSION_STATES),
        ("device_state", DEVICE_STATES),
        ("data_class", DATA_CLASSES),
        ("job", [one.name for one in JOBS]),
        ("contact", {endpoint.kind for _rule, endpoint, _methods in _list_rules()}),
        ("finding_kind", get_args(FindingKind)),
        ("value_ground", get_args(Ground)),
        ("aspect", {*ASPECTS, *TEXTS, "field", "choice", "choices"}),
    ],
)
def test_every_slug_has_a_word(family: str, slugs: Any) -> None:
    assert set(slugs) <= set(LABELS[family])


def test_a_slug_that_a_template_names_is_said_in_the_language_of_each_reader(app: Flask) -> None:
    template = app.jinja_env.from_string('{{ "same" | label("link_answer") }}')
    said = []
    for language in ("fr", "en"):
        with force_locale(language):
            said.append(template.render())
    assert said == ["La même personne", "The same person"]


def test_a_slug_that_is_newer_than_the_list_is_shown() -> None:
    assert (label("merged", "submission_state"), label("melted", "submission_state")) == ("merged", "melted")


def test_nothing_is_a_dash() -> None:
    assert label(None, "reason") == "–"


@pytest.mark.parametrize(
    ("details", "words"),
    [
        ({}, ""),
        ({"done": 6, "failed": 0}, "done: 6, failed: 0"),
        ({"role": "auditor", "disabled": True}, "role: Auditor, disabled: yes"),
        ({"kind": "apart"}, "kind: never the same person"),
        ({"purpose": "oversight"}, "purpose: Oversee how the programme works"),
        ({"properties": ["etat", "lit"], "newer": []}, "columns: etat lit, newer: –"),
        ({"newer": "thing"}, "newer: thing"),
    ],
)
def test_details_of_a_line_are_words(details: dict[str, Any], words: str) -> None:
    assert word_details(details) == words
