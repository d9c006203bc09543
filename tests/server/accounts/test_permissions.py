"""Routes and the acts that open them; that every route states one is proven in tests/server/web/test_wall.py."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from server.accounts.permissions import permission
from server.extensions import db
from sync.models import AuditEvent
from tests.accounts import add_account, log_in
from tests.seed import seed
from tests.server.web.conftest import client

__all__ = ["client"]


def test_an_act_that_nobody_listed_cannot_be_stated() -> None:
    with pytest.raises(ValueError, match="no such permission"):
        permission("rockets.launch")


def test_a_route_that_states_nothing_answers_nobody(app: Flask, client: FlaskClient, session: Session) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "open")
    assert log_in(client, add_account(session)).get("/forgotten").status_code == 403


def test_a_program_is_told_that_it_is_not_logged_in(client: FlaskClient) -> None:
    assert client.post("/users/new", json={}).status_code == 401


def test_a_page_that_refreshes_itself_goes_to_the_login_as_a_whole(client: FlaskClient) -> None:
    answer = client.get("/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/login")


def test_nothing_is_shown_that_the_journal_could_not_note(app: Flask, client: FlaskClient, session: Session) -> None:
    seeded = seed(session)
    log_in(client, add_account(session, "data_steward"))

    def refuse(*_about: object) -> None:
        raise RuntimeError("the journal cannot be written")

    event.listen(AuditEvent, "before_insert", refuse)
    app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    try:
        answer = client.get(f"/people/{seeded.person.id}")
    finally:
        event.remove(AuditEvent, "before_insert", refuse)
    assert answer.status_code == 500
    assert "Canaritrois" not in answer.text
    db.session.rollback()
    assert "person.read" not in session.scalars(select(AuditEvent.action)).all()
