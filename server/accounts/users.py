"""Web users: made, changed, disabled, and their passwords (argon2id). Sessions and throttling are next door."""

import re
import secrets
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from forms.errors import N_, Translate
from server.accounts.models import User, UserSession
from sync.audit import add_audit_event
from sync.models import Actor, Site
from sync.policy import ROLES, SITE_ROLES

MIN_PASSWORD_LENGTH = 10
MAX_PASSWORD_LENGTH = 256
_TELLING = 4
LANGUAGES = ("fr", "en")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}")
_COMMON_PARTS = ("password", "motdepasse", "azerty", "qwerty", "123456", "teral")

# 19 MiB and two passes: an argon2id setting that OWASP names, since several logins at once must fit a small server.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class AccountRefused(Exception):
    """Something that cannot be done to an account; the code is stable, the words are gettext messages."""

    messages = {
        "email_invalid": N_("This is not an e-mail address."),
        "email_taken": N_("Somebody already has an account with this e-mail address."),
        "role_unknown": N_("There is no such role."),
        "site_unknown": N_("There is no such site."),
        "site_needed": N_("This role works at one site: say which."),
        "last_administrator": N_("This is the last administrator: name another one first."),
        "password_short": N_("A password needs at least 10 characters."),
        "password_long": N_("A password has at most 256 characters."),
        "password_email": N_("A password must not contain the e-mail address."),
        "password_simple": N_("This password is too easy to guess."),
        "password_same": N_("The new password is the old one."),
        "password_wrong": N_("The present password is not right."),
    }

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    def word(self, translate: Translate = str) -> str:
        return translate(self.messages[self.code])

    def __str__(self) -> str:
        return self.word()


def normalise_email(email: str) -> str:
    return email.strip().lower()


def find_user(session: Session, email: str) -> User | None:
    return session.scalar(select(User).where(User.email == normalise_email(email)))


def list_users(session: Session) -> Sequence[User]:
    return session.scalars(select(User).order_by(User.email)).all()


def add_user(
    session: Session, *, email: str, role: str, password: str, now: datetime,
    site: Site | None = None, language: str = "fr", by: int | None = None, must_change: bool = False,
) -> User:  # fmt: skip
    """Make an account; refuses a taken address, a role without its site, and a weak password."""
    email = normalise_email(email)
    if not _EMAIL.fullmatch(email):
        raise AccountRefused("email_invalid")
    if find_user(session, email):
        raise AccountRefused("email_taken")
    check_role(role, site)
    check_password(password, email)
    actor = Actor(kind="user", display_name=email, created_at=now)
    user = User(
        actor=actor, email=email, role=role, site=site, language=language, created_at=now,
        password_hash=_hasher.hash(password), must_change_password=must_change,
    )  # fmt: skip
    session.add(user)
    session.flush()
    add_audit_event(session, by, "user.added", f"user:{user.id}", now, role=role)
    return user


def check_role(role: str, site: Site | None) -> None:
    if role not in ROLES:
        raise AccountRefused("role_unknown")
    if role in SITE_ROLES and site is None:
        raise AccountRefused("site_needed")


def check_password(password: str, email: str) -> None:
    """Refuse what is short, what repeats the account, and what everybody tries first."""
    lower = password.lower()
    if len(password) < MIN_PASSWORD_LENGTH:
        raise AccountRefused("password_short")
    if len(password) > MAX_PASSWORD_LENGTH:
        raise AccountRefused("password_long")
    name = email.partition("@")[0]
    # Of a name as short as "it" many a good password holds the letters.
    if email in lower or (len(name) >= _TELLING and name in lower):
        raise AccountRefused("password_email")
    if len(set(password)) < 5 or any(lower.strip("0123456789!.") == part for part in _COMMON_PARTS):
        raise AccountRefused("password_simple")


def verify_password(user: User | None, password: str) -> bool:
    """Whether this is the user's password; nobody's and a disabled user's never is, after the same time."""
    known = user is not None and user.disabled_at is None
    stored = user.password_hash if user is not None else _hash_of_nobody()
    try:
        _hasher.verify(stored, password[:MAX_PASSWORD_LENGTH])
    except (VerificationError, InvalidHashError):
        return False
    return known


def _hash_of_nobody() -> str:
    """What takes as long to verify as anybody's, though it was not hashed: no password is known that fits."""
    cost = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    salt, digest = (b64encode(secrets.token_bytes(size)).rstrip(b"=").decode() for size in (16, 32))
    return f"$argon2id$v={ARGON2_VERSION}${cost}${salt}${digest}"


def change_password(session: Session, user: User, old: str, new: str, now: datetime) -> None:
    """Let a user choose a password; every other session of theirs ends."""
    if not verify_password(user, old):
        raise AccountRefused("password_wrong")
    if old == new:
        raise AccountRefused("password_same")
    check_password(new, user.email)
    set_password(session, user, new, now)
    user.must_change_password = False
    add_audit_event(session, user.actor_id, "user.password_changed", f"user:{user.id}", now)


def reset_password(session: Session, user: User, now: datetime, by: int | None = None) -> str:
    """Give a user a one-time password, returned here and never again; all their sessions end."""
    password = make_password()
    set_password(session, user, password, now)
    user.must_change_password = True
    add_audit_event(session, by, "user.password_reset", f"user:{user.id}", now)
    return password


def make_password() -> str:
    """A one-time password of 72 random bits that can be read over a telephone."""
    return "-".join(secrets.token_hex(3) for _ in range(3))


def set_password(session: Session, user: User, password: str, now: datetime) -> None:
    """Give a user another password; every session ends."""
    user.password_hash = _hasher.hash(password)
    end_sessions(session, user, now)


def change_user(
    session: Session, user: User, *, role: str, site: Site | None, disabled: bool, now: datetime, by: int | None
) -> None:
    """Give a user another role or site, or shut them out; the last active administrator stays one."""
    check_role(role, site)
    if _is_active_administrator(user) and (disabled or role != "administrator") and _is_last_administrator(session):
        raise AccountRefused("last_administrator")
    user.role, user.site = role, site
    user.disabled_at = (user.disabled_at or now) if disabled else None
    if disabled:
        end_sessions(session, user, now)
    session.flush()
    add_audit_event(session, by, "user.changed", f"user:{user.id}", now, role=role, disabled=disabled)


def end_sessions(session: Session, user: User, now: datetime) -> None:
    """End every login of a user."""
    for one in session.scalars(select(UserSession).filter_by(user_id=user.id, ended_at=None)):
        one.ended_at = now
    session.flush()


def _is_active_administrator(user: User) -> bool:
    return user.role == "administrator" and user.disabled_at is None


def _is_last_administrator(session: Session) -> bool:
    active = select(func.count()).where(User.role == "administrator", User.disabled_at.is_(None))
    return session.scalar(active) == 1
