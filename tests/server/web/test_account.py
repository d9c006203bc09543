"""A user's own password."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests.accounts import PASSWORD, add_account, log_in

NEW = "dune-et-acacia-9"


def change(client: FlaskClient, **given: str):  # type: ignore[no-untyped-def]
    return client.post("/account/password", data={"old": PASSWORD, "new": NEW, "again": NEW, **given})


def test_the_new_password_opens_and_the_old_does_not(client: FlaskClient, session: Session) -> None:
    user = add_account(session, "auditor")
    assert change(log_in(client, user)).status_code == 302
    assert client.get("/").status_code == 200  # this login goes on
    client.post("/logout")
    assert client.post("/login", data={"email": user.email, "password": PASSWORD}).status_code == 401
    assert client.post("/login", data={"email": user.email, "password": NEW}).status_code == 302


@pytest.mark.parametrize(
    "given",
    [{"old": "wrong-wrong-wrong"}, {"again": "another-one-entirely"}, {"new": "short", "again": "short"}],
    ids=["present one wrong", "not the same twice", "too short"],
)
def test_what_is_refused_changes_nothing(client: FlaskClient, session: Session, given: dict[str, str]) -> None:
    user = add_account(session, "auditor")
    assert change(log_in(client, user), **given).status_code == 422
    client.post("/logout")
    assert client.post("/login", data={"email": user.email, "password": PASSWORD}).status_code == 302
