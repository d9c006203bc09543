"""What a reader sees when something is refused or goes wrong."""

import logging

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient

from server.accounts.permissions import PUBLIC, permission


@pytest.mark.parametrize(
    ("status", "words"), [(400, "comprise"), (404, "page"), (413, "serveur accepte"), (418, "comprise")]
)
def test_a_refusal_is_a_page_in_the_readers_language(app: Flask, client: FlaskClient, status: int, words: str) -> None:
    app.add_url_rule("/refused", "refused", permission(PUBLIC)(lambda: abort(status)))
    answer = client.get("/refused")
    assert answer.status_code == status
    assert words in answer.text


def test_a_program_gets_json(app: Flask, client: FlaskClient) -> None:
    assert client.post("/nothing-here", json={}).json == {"error": "Cette page n'existe pas"}


def test_a_fault_shows_nothing_of_itself(app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> str:
        raise RuntimeError("Awa Ndiaye")

    app.add_url_rule("/broken", "broken", permission(PUBLIC)(fail))
    app.testing, app.config["PROPAGATE_EXCEPTIONS"] = False, False
    with caplog.at_level(logging.ERROR):
        answer = client.get("/broken")
    assert answer.status_code == 500
    assert "Awa" not in answer.text
    assert "Traceback" not in answer.text


def test_a_wrong_method_names_the_right_ones(client: FlaskClient) -> None:
    answer = client.delete("/login")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_a_form_without_its_token_says_what_to_do(client: FlaskClient) -> None:
    answer = client.post("/login", data={"email": "a@b.c", "password": "x"})
    assert answer.status_code == 400
    assert "ouverte trop longtemps" in answer.text
