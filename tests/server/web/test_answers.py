"""A record's answers as their readers see them: by label, in the form's order, each held against the policy."""

from collections.abc import Iterator

import pytest
from flask import Flask

from forms.definition import Field
from forms.submission import parse_submission
from server.web.answers import Section, classes_of, present_answers, shows_personal_data, word_answer
from sync.policy import Viewer
from tests.seed import arrival_xml, shipped_form

FORM = shipped_form("f04_arrivee").definition


@pytest.fixture(autouse=True)
def french(app: Flask) -> Iterator[None]:
    with app.test_request_context():
        yield


def read(role: str, language: str = "fr", purpose: str | None = None) -> Section:
    submission = parse_submission(arrival_xml(FORM.version, "uuid:1"))
    return present_answers(submission, FORM, Viewer(1, role, 1, purpose), language)


def answer(section: Section, path: str) -> tuple[str, str]:
    [row] = [one for one in section.walk() if one.path == path]
    return row.value.kind, row.value.text


@pytest.mark.parametrize(
    ("role", "seen"),
    [
        ("protection_officer", ("shown", "Canaritrois")),
        ("centre_staff", ("shown", "Canaritrois")),
        ("site_supervisor", ("masked", "C•••")),
        ("auditor", ("masked", "C•••")),
        ("national_supervisor", ("absent", "")),
        ("form_designer", ("absent", "")),
    ],
)
def test_a_name_is_shown_masked_or_absent(role: str, seen: tuple[str, str]) -> None:
    assert answer(read(role), "/data/personnes[1]/identite/nom") == seen


@pytest.mark.parametrize(("language", "word"), [("fr", "Femme"), ("en", "Female")])
def test_a_choice_is_told_by_its_label(language: str, word: str) -> None:
    assert answer(read("protection_officer", language), "/data/personnes[1]/identite/sexe") == ("shown", word)


def test_a_date_is_written_as_people_write_it_and_masked_to_its_year() -> None:
    path = "/data/personnes[1]/identite/naissance"
    assert answer(read("protection_officer"), path) == ("shown", "12 avril 1991")
    assert answer(read("auditor"), path) == ("masked", "1991-••-••")


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "soon"])
def test_a_moment_that_has_no_hour_here_is_shown_as_it_was_written(text: str) -> None:
    assert word_answer(text, Field("/data/at", "question", "dateTime"), "fr") == text


def test_sections_are_the_forms_groups_and_turns() -> None:
    [person] = [one for one in read("protection_officer").sections if one.title.endswith(" 1")]
    assert [one.title for one in person.sections] == ["Identité déclarée", "Accueil"]


def test_technical_answers_are_told_apart() -> None:
    [row] = [one for one in read("national_supervisor").walk() if one.path == "/data/deviceid"]
    assert row.is_technical


@pytest.mark.parametrize(
    ("role", "purpose", "shows"),
    [
        ("protection_officer", None, True),
        ("national_supervisor", None, False),
        ("national_supervisor", "oversight", True),
    ],
)
def test_what_is_journalled_is_what_was_seen(role: str, purpose: str | None, shows: bool) -> None:
    assert shows_personal_data(read(role, purpose=purpose)) == shows


def test_the_classes_of_a_form_are_those_of_its_questions() -> None:
    assert classes_of(FORM) == {"D1", "D2", "D3", "D4", "D7"}
