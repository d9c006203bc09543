"""Logins of programs, which keep no cookie: a Bearer token as ODK Central gives one, or Basic over https."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import abort, g, request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import TooManyRequests

from server.accounts.logins import LoginRefused, check_login
from server.accounts.models import User, UserSession
from server.accounts.secrets import hash_secret
from server.extensions import db, writes_from_the_start
from sync.db import begin_write

LIFE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Issued:
    """A token, which can be read this once, and how long it lives."""

    token: str
    created_at: datetime
    expires_at: datetime


def issue_token(session: Session, user: User, now: datetime) -> Issued:
    """Give a program a token for this user; only its hash is kept."""
    issued = Issued(secrets.token_urlsafe(48), now, now + LIFE)
    kept = UserSession(
        user=user, token_sha256=hash_secret(issued.token), created_at=now, seen_at=now, expires_at=issued.expires_at
    )
    session.add(kept)
    session.flush()
    return issued


def find_program_login(session: Session, token: str, now: datetime) -> UserSession | None:
    """The live login behind a Bearer token; the token of a cookie is none."""
    login = session.scalar(select(UserSession).where(UserSession.token_sha256 == hash_secret(token)))
    if login is None or login.expires_at is None or login.ended_at is not None or login.user.disabled_at is not None:
        return None
    return login if now < login.expires_at else None


def identify_program() -> None:
    """Note who calls, for sessions.current_user; nobody where the request brings no credential that holds."""
    given, now = request.authorization, datetime.now(UTC)
    if given is None:
        g.login = None
    elif given.type == "bearer":
        g.login = find_program_login(db.session(), given.token or "", now)
    elif given.type == "basic" and request.is_secure:
        g.login, g.basic_user = None, _check_basic(given.username or "", given.password or "", now)
    else:
        g.login = None


def _check_basic(email: str, password: str, now: datetime) -> User:
    try:
        user = check_login(email, password, now)
    except LoginRefused as refused:
        # The answer is an error, which undoes what the request began; the failure must count all the same.
        db.session.commit()
        if refused.wait_s:
            raise TooManyRequests(retry_after=refused.wait_s) from refused
        abort(401)
    # A program that reads for long must not hold up the tablets meanwhile.
    db.session.commit()
    if writes_from_the_start():
        begin_write(db.session())
    return user
