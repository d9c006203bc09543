"""Properties of entities in words: of the form that asks a person, in the reader's language, as far as they may see."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from server.web.entity_words import entity_words
from sync.policy import Viewer
from tests.seed import seed
from tests.sync.factory import add_site

WordsOf = Callable[..., tuple[str, str, str]]


@pytest.fixture
def words_of(app: Flask, session: Session) -> WordsOf:
    seed(session)

    def of(role: str, language: str = "fr") -> tuple[str, str, str]:
        # A context of its own, or the language of the first call would stay.
        with app.app_context(), app.test_request_context(headers={"Accept-Language": language}):
            words = entity_words(session, Viewer(1, role, 1), "dossiers")
            return words.name("sexe"), words.value("sexe", "2").text, words.value("ref", "KLK-1").text

    return of


def test_a_property_is_named_and_worded_by_its_question(words_of: WordsOf) -> None:
    assert words_of("centre_staff") == ("Sexe", "Femme", "KLK-1")
    assert words_of("centre_staff", "en") == ("Sex", "Female", "KLK-1")


def test_a_code_that_forms_calculate_has_a_word(app: Flask, session: Session) -> None:
    with app.test_request_context():
        words = entity_words(session, Viewer(1, "data_steward"), "dossiers")
        assert [words.value("etat", code).text for code in ("transfere", "perdu")] == ["En transfert", "perdu"]
        assert ("25_59", "25–59 ans") in words.choices("tranche")
        assert words.choices("ref") == []


def test_a_mask_leaves_what_the_programme_says(words_of: WordsOf) -> None:
    assert words_of("auditor") == ("Sexe", "Femme", "•••")
    assert words_of("form_designer") == ("Sexe", "", "")


def test_shipped_lists_have_words_of_their_own(app: Flask, session: Session) -> None:
    with app.test_request_context():
        viewer = Viewer(1, "data_steward")
        assert entity_words(session, viewer, "evenements").name("site_debarq") == "Site de débarquement"
        assert entity_words(session, viewer, "evenements").name("moteur") == "moteur"
        assert entity_words(session, viewer, "bateaux").name("sexe") == "sexe"


def test_a_site_is_told_by_its_name(app: Flask, session: Session) -> None:
    add_site(session, "KLK", kind="centre", name="Centre de Kolda")
    with app.test_request_context():
        words = entity_words(session, Viewer(1, "data_steward"), "dossiers")
        assert [words.value("site_id", code).text for code in ("KLK", "???")] == ["Centre de Kolda", "???"]
