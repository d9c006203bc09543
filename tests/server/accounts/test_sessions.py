"""Logins: how long they last, and that a cookie alone opens nothing once they ended."""

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.models import User, UserSession
from server.accounts.sessions import LONGEST
from tests.accounts import add_account, log_in
from tests.server.web.conftest import client

__all__ = ["client"]


@pytest.fixture
def user(session: Session) -> User:
    return add_account(session, "auditor")


@pytest.fixture
def login(client: FlaskClient, session: Session, user: User) -> UserSession:
    log_in(client, user)
    return session.scalars(select(UserSession)).one()


def is_in(client: FlaskClient) -> bool:
    return client.get("/audit/").status_code == 200


def test_a_login_lasts(client: FlaskClient, login: UserSession) -> None:
    assert is_in(client)


@pytest.mark.parametrize(
    ("column", "ago", "inside"),
    [
        ("seen_at", timedelta(minutes=29), True),
        ("seen_at", timedelta(minutes=31), False),
        ("created_at", LONGEST - timedelta(minutes=1), True),
        ("created_at", LONGEST + timedelta(minutes=1), False),
    ],
)
def test_a_login_ends_by_idleness_and_by_the_clock(
    client: FlaskClient, session: Session, login: UserSession, column: str, ago: timedelta, inside: bool
) -> None:
    setattr(login, column, datetime.now(UTC) - ago)
    session.commit()
    assert is_in(client) == inside


def test_a_page_that_refreshes_itself_keeps_nobody_in(
    client: FlaskClient, session: Session, login: UserSession
) -> None:
    login.seen_at = before = datetime.now(UTC) - timedelta(minutes=20)
    session.commit()
    client.get("/", headers={"HX-Request": "true"})
    session.rollback()
    assert login.seen_at == before
    client.get("/")
    session.rollback()
    assert login.seen_at > before


def test_a_shut_account_is_out_though_its_login_lives(
    client: FlaskClient, session: Session, user: User, login: UserSession
) -> None:
    user.disabled_at = datetime.now(UTC)
    session.commit()
    assert not is_in(client)


def test_the_database_holds_no_token(client: FlaskClient, login: UserSession) -> None:
    with client.session_transaction() as cookie:
        assert cookie["login"] != login.token_sha256


def test_a_changed_cookie_is_nobody(client: FlaskClient, login: UserSession) -> None:
    with client.session_transaction() as cookie:
        cookie["login"] = "another"
    assert not is_in(client)
