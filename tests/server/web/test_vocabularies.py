"""A code is told in the reader's words, on the page of people too, and a mask never turns into a word."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from server.web.vocabularies import word_code
from tests.accounts import add_account, log_in
from tests.seed import seed


@pytest.mark.parametrize(
    ("language", "name", "code", "word"),
    [
        ("fr", "age_band", "25_59", "25–59 ans"),
        ("en", "age_band", "25_59", "25–59 years"),
        ("fr", "nationality", "SEN", "Sénégal"),
        ("fr", "sex", "2", "Femme"),
        ("en", "language", "ful", "Pulaar, Fula"),
        ("fr", "kind", "arrivee", "Arrivée au centre"),
        ("fr", "nationality", "XYZ", "XYZ"),
        ("fr", "given_names", "2", "2"),
    ],
    ids=["band", "band in English", "country", "sex", "language", "kind", "unknown code", "no vocabulary"],
)
def test_a_code_gets_its_word(app: Flask, language: str, name: str, code: str, word: str) -> None:
    with app.test_request_context(headers={"Accept-Language": language}):
        assert word_code(code, name) == word


@pytest.mark.parametrize(("role", "country"), [("centre_staff", True), ("auditor", False)], ids=["plain", "masked"])
def test_people_are_listed_in_words(client: FlaskClient, session: Session, role: str, country: bool) -> None:
    seeded = seed(session)
    reader = log_in(client, add_account(session, role, seeded.site if country else None))
    for address in ("/people/", f"/people/{seeded.person.id}"):
        said = reader.get(address).text
        assert ("25–59 ans" in said, "25_59" in said, "Mali" in said, "MLI" in said) == (True, False, country, False)
