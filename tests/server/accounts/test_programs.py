"""Tokens of programs, below the web."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from server.accounts.programs import LIFE, find_program_login, issue_token
from server.accounts.users import end_sessions
from tests.accounts import add_account

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


def test_a_token_holds_for_a_day_and_no_longer(session: Session) -> None:
    issued = issue_token(session, add_account(session), NOW)
    assert find_program_login(session, issued.token, NOW + LIFE - timedelta(seconds=1))
    assert find_program_login(session, issued.token, NOW + LIFE) is None
    assert find_program_login(session, f"{issued.token}x", NOW) is None


def test_what_ends_an_accounts_sessions_ends_its_tokens(session: Session) -> None:
    user = add_account(session)
    issued = issue_token(session, user, NOW)
    end_sessions(session, user, NOW)
    assert find_program_login(session, issued.token, NOW) is None
