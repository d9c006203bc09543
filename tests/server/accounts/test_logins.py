"""One check for pages and programs."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from server.accounts.logins import LoginRefused, check_login
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
