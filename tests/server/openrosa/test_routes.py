"""Tablets' addresses: whose they are, how odd ones travel, and that a fault is an answer too."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.accounts.permissions import TABLET, permission_of
from server.openrosa import downloads
from server.openrosa.routes import get_room
from tests.server.openrosa.tablet import HEADERS, Tablet, message


def test_flask_knows_every_address_and_that_it_is_a_tablets(app: Flask) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("openrosa.")]
    assert len(rules) == 18
    assert {permission_of(rule.endpoint) for rule in rules} == {TABLET}


def test_addresses_that_only_begin_like_ours_are_the_pages(client: FlaskClient) -> None:
    assert client.get("/submissions/").headers["Location"].startswith("/login")


def test_other_project_is_not_there(tablet: Tablet) -> None:
    response = tablet.client.get(tablet.path.replace("projects/1", "projects/2") + "/formList", headers=HEADERS)
    assert (response.status_code, message(response)) == (404, "Il n'y a rien à cette adresse.")


def test_wrong_method_is_405(tablet: Tablet) -> None:
    assert tablet.client.delete(f"{tablet.path}/submission").status_code == 405


def test_fault_is_told_and_logged_without_what_was_sent(
    tablet: Tablet, app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:

    get_room(app).catalogues.get(1)
    monkeypatch.setattr(downloads, "render_form_list", lambda *_: 1 / 0)
    response = tablet.get("/formList")
    assert (response.status_code, "Le serveur a fait une erreur" in message(response)) == (500, True)
    assert "in _dispatch" in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert "division by zero" not in caplog.text
    assert tablet.path.split("/")[3] not in caplog.text
