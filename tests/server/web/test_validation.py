"""A designer tries a record: on the page, and from a program."""

import io
import json
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from server.extensions import attachment_store
from sync.attachments import add_blob
from sync.models import FormVersion, Submission
from sync.publishing import publish_form
from tests.accounts import add_account, log_in
from tests.server.test_validation import FORM, LIST_FORM, record
from tests.server.test_validation_lines import GOOD
from tests.sync.factory import NOW, form_file, xml

WRONG = {"prenoms": "Awa", "nom": "Ndiaye", "sexe": "9", "age": "31"}


@pytest.fixture
def designer(client: FlaskClient, session: Session) -> FlaskClient:
    return log_in(client, add_account(session, "form_designer"))


@pytest.fixture
def version(session: Session) -> FormVersion:
    villages = attachment_store().save(b"name,label\nros,Rosso\n")
    add_blob(session.connection(), villages, NOW)
    published = publish_form(session, form_file(), {"villages.csv": villages.sha256}, None, NOW)
    session.commit()
    return published.version


def post(client: FlaskClient, pasted: bytes, **given: Any) -> TestResponse:
    return client.post("/validation", data={"record": pasted.decode(), **given})


def test_a_record_is_held_against_a_published_version(designer: FlaskClient, version: FormVersion) -> None:
    answer = post(designer, xml("uuid:1", [WRONG]), version=version.id)
    assert (answer.status_code, "Sexe" in answer.text, "/data/personnes[1]/sexe" in answer.text) == (200, True, True)


def test_a_record_is_held_against_an_uploaded_form(designer: FlaskClient) -> None:
    said = post(designer, record("<age>130</age>"), form=(io.BytesIO(FORM), "essai.xml")).text
    assert "Trop vieux." in said
    assert "La fiche enfreint des règles" in said


def test_an_uploaded_form_takes_its_lists_along(designer: FlaskClient) -> None:
    files = {"form": (io.BytesIO(LIST_FORM), "f.xml"), "media": (io.BytesIO(b"name,label\nros,R\n"), "villages.csv")}
    assert "La fiche est valide" in post(designer, record("<village>ros</village>"), **files).text


def test_words_are_in_the_reader_s_language(designer: FlaskClient) -> None:
    designer.post("/language", data={"language": "en"})
    assert "The record" in post(designer, record("<age/>"), form=(io.BytesIO(FORM), "essai.xml")).text


@pytest.mark.parametrize(
    ("pasted", "form"),
    [(record("<age/>"), None), (b"<data", FORM), (b"", FORM), (record("<age/>"), b"<html/>")],
    ids=["no form", "no XML", "nothing", "no form in the file"],
)
def test_what_cannot_be_judged_says_why(designer: FlaskClient, pasted: bytes, form: bytes | None) -> None:
    answer = post(designer, pasted, **({"form": (io.BytesIO(form), "f.xml")} if form else {}))
    assert (answer.status_code, 'role="alert"' in answer.text) == (422, True)


def test_nothing_of_a_tried_record_is_kept(designer: FlaskClient, version: FormVersion, session: Session) -> None:
    post(designer, xml("uuid:1", [WRONG]), version=version.id)
    session.rollback()
    assert session.query(Submission).count() == 0


def test_the_menu_leads_designers_here(designer: FlaskClient) -> None:
    assert 'href="/validation"' in designer.get("/validation").text


def test_a_program_gets_the_answer_of_the_command(designer: FlaskClient) -> None:
    answer = designer.post("/api/validate", json=GOOD)
    assert (answer.status_code, answer.json) == (200, {"id": "a", "valid": True, "errors": [], "warnings": []})


@pytest.mark.parametrize("body", [b"{", b'{"id": "x"}', json.dumps({**GOOD, "form_xml": "<a/>"}).encode()])
def test_a_program_that_asks_nothing_is_told(designer: FlaskClient, body: bytes) -> None:
    answer = designer.post("/api/validate", data=body, content_type="application/json")
    assert (answer.status_code, "error" in (answer.json or {})) == (422, True)


def test_a_program_needs_a_login_and_the_right(client: FlaskClient, session: Session) -> None:
    answer = client.post("/api/validate", json=GOOD)
    assert (answer.status_code, answer.json) == (401, {"error": "Vous n’êtes pas connecté"})
    log_in(client, add_account(session, "auditor"))
    assert client.post("/api/validate", json=GOOD).status_code == 403


def test_a_program_needs_the_token_of_its_session(app: Flask, designer: FlaskClient) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    assert designer.post("/api/validate", json=GOOD).status_code == 400
    found = re.search(r'name="csrf_token" value="([^"]+)"', designer.get("/validation").text)
    assert found is not None
    answer = designer.post("/api/validate", json=GOOD, headers={"X-CSRFToken": found.group(1)})
    assert answer.status_code == 200
