"""Accounts as an administrator keeps them: passwords shown once, nobody shut out by mistake."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from server.accounts.users import find_user
from tests.accounts import PASSWORD, add_account, add_site, log_in


@pytest.fixture
def administrator(client: FlaskClient, session: Session) -> FlaskClient:
    return log_in(client, add_account(session))


def add(client: FlaskClient, **given: str):  # type: ignore[no-untyped-def]
    return client.post("/users/new", data={"email": "awa@teral.test", "role": "auditor", "language": "fr", **given})


def test_a_new_account_gets_a_password_for_one_use(administrator: FlaskClient, session: Session) -> None:
    page = add(administrator).text
    [password] = re.findall(r"[0-9a-f]{6}-[0-9a-f]{6}-[0-9a-f]{6}", page)
    administrator.post("/logout")
    administrator.post("/login", data={"email": "awa@teral.test", "password": password})
    assert administrator.get("/").location == "/account/password"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"email": "not an address"}, "pas une adresse électronique"),
        ({"email": "administrator.all@teral.test"}, "a déjà un compte"),
        ({"role": "emperor"}, "rôle"),
        ({"role": "site_supervisor"}, "site"),
    ],
    ids=["address", "taken", "role", "site"],
)
def test_what_cannot_be_is_said_and_what_was_typed_stays(
    administrator: FlaskClient, given: dict[str, str], words: str
) -> None:
    answer = add(administrator, **given)
    assert answer.status_code == 422
    assert words in answer.text
    assert given.get("email", "awa@teral.test") in answer.text


def test_an_account_can_be_given_another_role_and_site(administrator: FlaskClient, session: Session) -> None:
    user = add_account(session, "auditor")
    add_site(session, "KIDIRA")
    session.commit()
    administrator.post(f"/users/{user.id}", data={"role": "site_supervisor", "site": "KIDIRA"})
    session.rollback()
    session.refresh(user)
    assert (user.role, user.site.code if user.site else None) == ("site_supervisor", "KIDIRA")


def test_a_shut_account_is_out_at_once(app, administrator: FlaskClient, session: Session) -> None:  # type: ignore[no-untyped-def]
    user = add_account(session, "auditor")
    other = log_in(type(administrator)(app, app.response_class), user)
    administrator.post(f"/users/{user.id}", data={"role": "auditor", "disabled": "yes"})
    assert other.get("/").location.startswith("/login")


def test_the_last_administrator_stays(administrator: FlaskClient, session: Session) -> None:
    user = find_user(session, "administrator.all@teral.test")
    assert user is not None
    assert administrator.post(f"/users/{user.id}", data={"role": "auditor"}).status_code == 422


def test_a_reset_ends_every_login(app, administrator: FlaskClient, session: Session) -> None:  # type: ignore[no-untyped-def]
    user = add_account(session, "auditor")
    other = log_in(type(administrator)(app, app.response_class), user)
    assert re.search(r"[0-9a-f]{6}-[0-9a-f]{6}-[0-9a-f]{6}", administrator.post(f"/users/{user.id}/password").text)
    assert other.get("/").location.startswith("/login")
    assert other.post("/login", data={"email": user.email, "password": PASSWORD}).status_code == 401


def test_an_account_that_is_not_there_is_404(administrator: FlaskClient) -> None:
    assert administrator.get("/users/999").status_code == 404
