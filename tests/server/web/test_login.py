"""Logging in and out through the front door."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.models import UserSession
from tests.accounts import PASSWORD, add_account, log_in


def try_to_log_in(client: FlaskClient, email: str, password: str = "wrong-wrong-wrong"):  # type: ignore[no-untyped-def]
    return client.post("/login", data={"email": email, "password": password})


def said(page: str, email: str) -> str:
    return re.sub(r'name="csrf_token" value="[^"]*"', "", page).replace(email, "")


def test_a_page_sends_a_stranger_to_the_login_and_back(client: FlaskClient, session: Session) -> None:
    user = add_account(session)
    asked = client.get("/users/")
    assert asked.location == "/login?next=/users/"
    answer = client.post("/login", data={"email": user.email.upper(), "password": PASSWORD, "next": "/users/"})
    assert answer.location == "/users/"
    assert client.get("/users/").status_code == 200


@pytest.mark.parametrize("target", ["https://example.org/", "//example.org", "/\\example.org", "users"])
def test_a_link_cannot_send_a_user_elsewhere(client: FlaskClient, session: Session, target: str) -> None:
    user = add_account(session)
    answer = client.post("/login", data={"email": user.email, "password": PASSWORD, "next": target})
    assert "example" not in answer.location


def test_unknown_account_and_wrong_password_get_the_same_answer(client: FlaskClient, session: Session) -> None:
    user = add_account(session)
    known, unknown = try_to_log_in(client, user.email), try_to_log_in(client, "nobody@teral.test")
    assert (known.status_code, unknown.status_code) == (401, 401)
    assert said(known.text, user.email) == said(unknown.text, "nobody@teral.test")


@pytest.mark.parametrize("email", ["administrator.all@teral.test", "nobody@teral.test"])
def test_the_sixth_try_is_refused(client: FlaskClient, session: Session, email: str) -> None:
    add_account(session)
    codes = [try_to_log_in(client, email).status_code for _ in range(6)]
    assert codes == [401] * 5 + [429]
    assert try_to_log_in(client, email, PASSWORD).headers["Retry-After"]


@pytest.mark.parametrize(
    ("language", "words"), [("fr", "Ce compte est pour des programmes"), ("en", "This account is for programs")]
)
def test_the_account_of_a_program_opens_no_page(
    client: FlaskClient, session: Session, language: str, words: str
) -> None:
    user = add_account(session, "exchange")
    data = {"email": user.email, "password": PASSWORD}
    answer = client.post("/login", data=data, headers={"Accept-Language": language})
    assert (answer.status_code, words in answer.text) == (403, True)
    assert client.get("/start").location.startswith("/login")


def test_who_becomes_a_program_is_out_at_once(client: FlaskClient, session: Session) -> None:
    user = add_account(session)
    log_in(client, user)
    user.role = "exchange"
    session.commit()
    assert client.get("/start").location.startswith("/login")


def test_logging_out_ends_the_session_for_good(client: FlaskClient, session: Session) -> None:
    log_in(client, add_account(session))
    stolen = client.get_cookie("session")
    client.post("/logout")
    client.set_cookie("session", stolen.value)
    assert client.get("/users/").status_code == 302


@pytest.mark.parametrize(
    ("column", "age"), [("seen_at", timedelta(minutes=31)), ("created_at", timedelta(hours=13))], ids=["idle", "old"]
)
def test_a_session_ends_by_itself(client: FlaskClient, session: Session, column: str, age: timedelta) -> None:
    log_in(client, add_account(session))
    setattr(session.scalars(select(UserSession)).one(), column, datetime.now(UTC) - age)
    session.commit()
    assert client.get("/users/").status_code == 302


def test_a_page_that_refreshes_itself_does_not_keep_the_session_alive(client: FlaskClient, session: Session) -> None:
    log_in(client, add_account(session))
    login = session.scalars(select(UserSession)).one()
    login.seen_at = long_ago = datetime.now(UTC) - timedelta(minutes=5)
    session.commit()
    client.get("/users/", headers={"HX-Request": "true"})
    assert login.seen_at == long_ago
    client.get("/users/")
    session.rollback()
    assert login.seen_at > long_ago


def test_the_cookie_is_no_secret_in_the_database(client: FlaskClient, session: Session) -> None:
    log_in(client, add_account(session))
    with client.session_transaction() as cookie:
        token = cookie["login"]
    assert session.scalars(select(UserSession)).one().token_sha256 != token


def test_a_form_without_its_token_is_refused(client: FlaskClient, session: Session) -> None:
    client.application.config["WTF_CSRF_ENABLED"] = True
    answer = client.post("/login", data={"email": "a@teral.test", "password": "x"})
    assert answer.status_code == 400


def test_a_one_time_password_must_be_changed_first(client: FlaskClient, session: Session) -> None:
    user = add_account(session)
    user.must_change_password = True
    session.commit()
    assert log_in(client, user).get("/users/").location == "/account/password"


def test_a_disabled_account_is_out_at_once(client: FlaskClient, session: Session) -> None:
    user = add_account(session)
    log_in(client, user)
    user.disabled_at = datetime.now(UTC)
    session.commit()
    assert client.get("/users/").status_code == 302


@pytest.mark.parametrize(
    ("headers", "language"),
    [({}, "fr"), ({"Accept-Language": "en-GB,en;q=0.8"}, "en"), ({"Accept-Language": "de"}, "fr")],
    ids=["nothing", "English", "German"],
)
def test_the_login_page_speaks_the_browsers_language_or_french(
    client: FlaskClient, headers: dict[str, str], language: str
) -> None:
    assert f'<html lang="{language}">' in client.get("/login", headers=headers).text


def test_french_words_are_used(client: FlaskClient) -> None:
    assert "<h1>Se connecter</h1>" in client.get("/login").text


def test_the_switch_changes_the_users_language(client: FlaskClient, session: Session) -> None:
    user = add_account(session)
    log_in(client, user).post("/language", data={"language": "en", "next": "/users/"})
    session.refresh(user)
    assert user.language == "en"
    assert '<html lang="en">' in client.get("/users/").text


def test_the_switch_on_the_answer_to_a_form_leads_to_the_first_page(client: FlaskClient, session: Session) -> None:
    log_in(client, add_account(session))
    refused = client.post("/sites/new", data={"code": ""})
    assert '<input type="hidden" name="next" value="">' in refused.text
    switched = client.post("/language", data={"language": "en", "next": ""}, follow_redirects=True)
    assert (switched.status_code, switched.request.path) == (200, "/")


def test_every_page_forbids_foreign_code_and_copies(client: FlaskClient) -> None:
    headers = client.get("/login").headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
    assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")


def test_an_unknown_page_is_a_page(client: FlaskClient) -> None:
    answer = client.get("/nowhere", headers={"Accept-Language": "en"})
    assert (answer.status_code, "There is no such page" in answer.text) == (404, True)
