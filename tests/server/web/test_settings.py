"""Settings: those of the page change, those of the environment are read, secrets are neither."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from sync.settings import KNOWN, get_setting
from tests.accounts import add_account, log_in


@pytest.fixture
def administrator(client: FlaskClient, session: Session) -> FlaskClient:
    return log_in(client, add_account(session))


def values(session: Session, **changed: str) -> dict[str, str]:
    return {name: str(get_setting(session, name)) for name in KNOWN} | changed


def test_a_setting_is_changed(administrator: FlaskClient, session: Session) -> None:
    assert administrator.post("/settings/", data=values(session, silent_after_hours="24")).status_code == 302
    session.rollback()
    assert get_setting(session, "silent_after_hours") == 24


def test_one_bad_value_changes_none(administrator: FlaskClient, session: Session) -> None:
    given = values(session, notice="Coupure lundi", silent_after_hours="soon")
    answer = administrator.post("/settings/", data=given)
    assert answer.status_code == 422
    assert "soon" in answer.text
    session.rollback()
    assert get_setting(session, "notice") == ""


def test_a_secret_is_told_only_as_set(app: Flask, administrator: FlaskClient) -> None:
    page = administrator.get("/settings/").text
    assert "TERAL_SECRET_KEY" in page
    assert app.config["SECRET_KEY"] not in page
