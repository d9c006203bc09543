"""How long a failed login makes the next one wait, and who waits."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.accounts.models import LoginFailure
from server.accounts.throttling import Attempt, add_failure, forget_failures, make_attempt, wait_seconds

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
KEY = "a-key-of-tests-only"


def attempt(email: str = "awa@teral.test", address: str = "192.0.2.7") -> Attempt:
    return make_attempt(KEY, email, address)


def fail(session: Session, times: int, one: Attempt) -> None:
    for _ in range(times):
        add_failure(session, one, NOW)


@pytest.mark.parametrize(
    ("failures", "least", "most"), [(4, 0, 0), (5, 30, 31), (6, 60, 61), (7, 120, 121), (40, 3600, 3601)]
)
def test_the_wait_doubles_up_to_an_hour(session: Session, failures: int, least: int, most: int) -> None:
    for number in range(failures):
        add_failure(session, attempt(address=f"192.0.2.{number}"), NOW)
    assert least <= wait_seconds(session, attempt(), NOW) <= most


def test_another_account_at_the_same_address_does_not_wait_yet(session: Session) -> None:
    fail(session, 24, attempt())
    assert wait_seconds(session, attempt("binta@teral.test"), NOW) == 0
    fail(session, 1, attempt())
    assert wait_seconds(session, attempt("binta@teral.test"), NOW) > 0


def test_a_good_login_frees_the_account_and_not_the_address(session: Session) -> None:
    fail(session, 5, attempt())
    forget_failures(session, attempt())
    assert wait_seconds(session, attempt(), NOW) == 0
    assert session.scalar(select(func.count(LoginFailure.id))) == 0


@pytest.mark.parametrize(("later", "waits"), [(timedelta(seconds=20), True), (timedelta(seconds=32), False)])
def test_the_wait_ends(session: Session, later: timedelta, waits: bool) -> None:
    fail(session, 5, attempt())
    assert (wait_seconds(session, attempt(), NOW + later) > 0) == waits


def test_what_is_older_than_a_day_is_forgotten(session: Session) -> None:
    fail(session, 5, attempt())
    add_failure(session, attempt("binta@teral.test"), NOW + timedelta(hours=25))
    assert session.scalar(select(func.count(LoginFailure.id))) == 1


def test_neither_account_nor_address_can_be_read(session: Session) -> None:
    fail(session, 1, attempt())
    row = session.scalars(select(LoginFailure)).one()
    assert "awa" not in row.account + row.address
    assert row.account != make_attempt("another-key", "awa@teral.test", "192.0.2.7").account
