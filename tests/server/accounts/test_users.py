"""Accounts and passwords below the pages."""

from datetime import UTC, datetime

import pytest
from argon2 import PasswordHasher, extract_parameters
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.models import UserSession
from server.accounts.users import (
    AccountRefused,
    add_user,
    change_password,
    change_user,
    check_password,
    find_user,
    list_users,
    make_password,
    reset_password,
    verify_password,
)
from tests.accounts import PASSWORD, add_account, add_site

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def refusal(code: str):  # type: ignore[no-untyped-def]
    return pytest.raises(AccountRefused, match=AccountRefused(code).word())


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "password_short"),
        ("x" * 257, "password_long"),
        ("awa.diop@teral.test!", "password_email"),
        ("xx-AWA.Diop-xx", "password_email"),
        ("aaaaaaaaaaaa", "password_simple"),
        ("motdepasse123", "password_simple"),
    ],
)
def test_a_weak_password_is_refused(password: str, code: str) -> None:
    with refusal(code):
        check_password(password, "awa.diop@teral.test")


@pytest.mark.parametrize("email", ["a@teral.test", "bao@teral.test"])
def test_a_short_name_spoils_no_good_password(email: str) -> None:
    check_password(PASSWORD, email)


def test_an_address_is_one_account_however_it_is_written(session: Session) -> None:
    user = add_account(session, email="awa@teral.test")
    assert find_user(session, " AWA@teral.test ") is user
    with refusal("email_taken"):
        add_user(session, email="Awa@Teral.test", role="auditor", password=PASSWORD, now=NOW)


def test_a_role_of_one_site_needs_it(session: Session) -> None:
    with refusal("site_needed"):
        add_user(session, email="b@teral.test", role="centre_staff", password=PASSWORD, now=NOW)
    user = add_user(
        session, email="b@teral.test", role="centre_staff", password=PASSWORD, now=NOW, site=add_site(session)
    )
    assert list_users(session) == [user]


def test_only_the_right_password_of_an_open_account_is_right(session: Session) -> None:
    user = add_account(session)
    assert verify_password(user, PASSWORD)
    assert not verify_password(user, PASSWORD + "x")
    assert not verify_password(None, PASSWORD)
    user.disabled_at = NOW
    assert not verify_password(user, PASSWORD)


def test_nobody_costs_as_much_as_somebody(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    verified, verify = list[str](), PasswordHasher.verify

    def see(hasher: PasswordHasher, stored: str, password: str) -> bool:
        verified.append(stored)
        return verify(hasher, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", see)
    for user in (add_account(session), None):
        assert not verify_password(user, "not-of-anybody-7")
    somebody, nobody = (extract_parameters(stored) for stored in verified)
    assert nobody == somebody


def test_a_password_is_kept_as_argon2id_only(session: Session) -> None:
    assert add_account(session).password_hash.startswith("$argon2id$")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [("wrong", "dune-et-acacia-9", "password_wrong"), (PASSWORD, PASSWORD, "password_same"),
     (PASSWORD, "short", "password_short")],
)  # fmt: skip
def test_a_change_that_is_refused_changes_nothing(session: Session, old: str, new: str, code: str) -> None:
    user = add_account(session)
    with refusal(code):
        change_password(session, user, old, new, NOW)
    assert verify_password(user, PASSWORD)


def test_a_reset_gives_a_password_for_one_use_and_ends_all_logins(session: Session) -> None:
    user = add_account(session)
    session.add(UserSession(user=user, token_sha256="0" * 64, created_at=NOW, seen_at=NOW))
    password = reset_password(session, user, NOW)
    assert verify_password(user, password)
    assert user.must_change_password
    assert session.scalars(select(UserSession.ended_at)).all() == [NOW]


def test_one_time_passwords_differ() -> None:
    assert len({make_password() for _ in range(50)}) == 50


@pytest.mark.parametrize(("role", "disabled"), [("auditor", False), ("administrator", True)])
def test_the_last_administrator_stays_one(session: Session, role: str, disabled: bool) -> None:
    user = add_account(session)
    with refusal("last_administrator"):
        change_user(session, user, role=role, site=None, disabled=disabled, now=NOW, by=None)
    add_account(session, email="second@teral.test")
    change_user(session, user, role=role, site=None, disabled=disabled, now=NOW, by=None)
    assert (user.role, user.disabled_at is not None) == (role, disabled)


def test_an_account_that_is_opened_again_may_log_in(session: Session) -> None:
    user = add_account(session, "auditor")
    for disabled in (True, False):
        change_user(session, user, role="auditor", site=None, disabled=disabled, now=NOW, by=None)
    assert verify_password(user, PASSWORD)
