"""One check for pages and programs."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from server.accounts.logins import LoginRefused, check_login
from server.accounts.models import User
from server.accounts.throttling import ACCOUNT_TRIES, add_failure, make_attempt
from server.accounts.users import verify_password
from server.extensions import db
from sync.db import begin_write
from tests.accounts import PASSWORD, add_account

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


def test_a_good_password_lets_the_account_start_afresh(app: Flask, session: Session) -> None:
    user = add_account(session)
    with app.test_request_context():
        for password in ["wrong-wrong"] * 4 + [PASSWORD] + ["wrong-wrong"] * 4:
            if password == PASSWORD:
                assert check_login(f" {user.email.upper()} ", password, NOW) == user
            else:
                with pytest.raises(LoginRefused, check=lambda refused: refused.wait_s == 0):
                    check_login(user.email, password, NOW)


def test_after_five_failures_even_the_right_password_must_wait(app: Flask, session: Session) -> None:
    user = add_account(session)
    with app.test_request_context():
        for _ in range(5):
            with pytest.raises(LoginRefused):
                check_login(user.email, "wrong-wrong", NOW)
        with pytest.raises(LoginRefused, check=lambda refused: refused.wait_s > 0):
            check_login(user.email, PASSWORD, NOW)


def test_nobody_waits_while_a_password_is_checked(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who writes meanwhile finds the lock free; and failures of theirs count for whoever is being checked."""
    user = add_account(session)
    session.commit()

    def fail_meanwhile(checked: User | None, password: str) -> bool:
        with Session(db.engine) as other:
            begin_write(other)
            attempt = make_attempt(app.config["SECRET_KEY"], user.email, "127.0.0.1")
            for _ in range(ACCOUNT_TRIES):
                add_failure(other, attempt, datetime.now(UTC))
            other.commit()
        return verify_password(checked, password)

    monkeypatch.setattr("server.accounts.logins.verify_password", fail_meanwhile)
    app.config["WTF_CSRF_ENABLED"] = False
    answer = app.test_client().post("/login", data={"email": user.email, "password": PASSWORD})
    assert (answer.status_code, "Retry-After" in answer.headers) == (429, True)
