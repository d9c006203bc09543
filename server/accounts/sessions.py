"""Logins: the cookie holds a random token, the table its SHA-256. Ends by logout, idleness, or after twelve hours."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from flask import Flask, Response, current_app, g, request, session
from sqlalchemy import select

from server.accounts.models import User, UserSession
from server.extensions import db, writes_from_the_start
from sync.db import begin_write
from sync.policy import PROGRAM_ROLES, Viewer

COOKIE_KEY = "login"
PURPOSE_KEY = "purpose"
LONGEST = timedelta(hours=12)
# How exact "last seen" is: one write per minute and session, not one per page.
TOUCH_EVERY = timedelta(minutes=1)
# How long a stated purpose opens identities: one piece of work, not a day.
PURPOSE_TIME = timedelta(minutes=30)


def init_app(app: Flask) -> None:
    app.after_request(touch_session)


def start_session(user: User, now: datetime) -> None:
    """Log a user in: a new token, and nothing of what the cookie held before."""
    token = secrets.token_urlsafe(32)
    language = session.get("language")
    session.clear()
    session[COOKIE_KEY] = token
    if language:
        session["language"] = language
    db.session.add(UserSession(user=user, token_sha256=_hash(token), created_at=now, seen_at=now))
    db.session.flush()


def end_session(now: datetime) -> None:
    """Log out whoever sends this request, a page's reader or a program."""
    login = current_login()
    if login:
        login.ended_at = now
    session.clear()


def current_login() -> UserSession | None:
    """The live login of this request, looked up once."""
    if "login" not in g:
        token = session.get(COOKIE_KEY)
        g.login = _find_login(token, datetime.now(UTC)) if isinstance(token, str) else None
    return g.login  # type: ignore[no-any-return]


def current_user() -> User | None:
    """The page's user by its cookie; a program's as programs.py found it."""
    login = current_login()
    return login.user if login else g.get("basic_user")


def current_viewer() -> Viewer:
    """Who looks at this page. Only for views that ask for a permission: those have a user."""
    user = current_user()
    if user is None:
        raise RuntimeError("a view without a user asked who looks")
    return Viewer(user.actor_id, user.role, user.site_id, current_purpose(datetime.now(UTC)))


def state_purpose(purpose: str, now: datetime) -> None:
    """Open for a while what this user may read for a stated purpose only."""
    session[PURPOSE_KEY] = [purpose, (now + PURPOSE_TIME).timestamp()]


def current_purpose(now: datetime) -> str | None:
    """For what this user opens identities at present. The cookie is signed, and ends with the login."""
    purpose, until = session.get(PURPOSE_KEY) or (None, 0)
    return purpose if now.timestamp() < until else None


def touch_session(response: Response) -> Response:
    """Note that the user is still there. What a page refreshes by itself is no sign of anybody."""
    login = g.get("login")
    now = datetime.now(UTC)
    if login is None or "HX-Request" in request.headers or now - login.seen_at < TOUCH_EVERY:
        return response
    login_id = login.id
    open_writer()
    db.session.get_one(UserSession, login_id).seen_at = now
    return response


def open_writer() -> None:
    """Let a request that only read so far write: on SQLite that takes a new transaction (sync.db.begin_write)."""
    if not writes_from_the_start():
        db.session.commit()
        begin_write(db.session())


def _find_login(token: str, now: datetime) -> UserSession | None:
    login = db.session.scalar(select(UserSession).where(UserSession.token_sha256 == _hash(token)))
    return login if login and _is_live(login, now) else None


def _is_live(login: UserSession, now: datetime) -> bool:
    idle = timedelta(minutes=current_app.extensions["teral_settings"].session_minutes)
    return (
        login.ended_at is None
        and login.expires_at is None
        and login.user.disabled_at is None
        and login.user.role not in PROGRAM_ROLES
        and now - login.seen_at < idle
        and now - login.created_at < LONGEST
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
