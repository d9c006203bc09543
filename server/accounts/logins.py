"""One check of an e-mail address and a password for pages and programs alike, throttled by account and address."""

from datetime import datetime

from flask import current_app, request
from sqlalchemy.orm import Session

from server.accounts.models import User
from server.accounts.sessions import open_writer
from server.accounts.throttling import Attempt, add_failure, forget_failures, make_attempt, wait_seconds
from server.accounts.users import find_user, normalise_email, verify_password
from server.extensions import db


class LoginRefused(Exception):
    """The password is not the account's, or (`wait_s`) nobody may try yet. A failure counts once it is committed."""

    def __init__(self, wait_s: int = 0) -> None:
        super().__init__(wait_s)
        self.wait_s = wait_s


def check_login(email: str, password: str, now: datetime) -> User:
    """The user whose password this is. Unknown accounts and wrong passwords answer alike, after the same work.

    From here on the request may write (sessions.open_writer).
    """
    session, email = db.session(), normalise_email(email)
    attempt = make_attempt(current_app.config["SECRET_KEY"], email, request.remote_addr or "")
    _refuse_early(session, attempt, now)
    user = find_user(session, email)
    is_right = verify_password(user, password)
    # Not before: a password takes long to check, and tablets that send would wait for it.
    open_writer()
    # Who tries many passwords at the same time gets no more tries than one after the other.
    _refuse_early(session, attempt, now)
    if not is_right or user is None:
        add_failure(session, attempt, now)
        raise LoginRefused
    forget_failures(session, attempt)
    return user


def _refuse_early(session: Session, attempt: Attempt, now: datetime) -> None:
    wait = wait_seconds(session, attempt, now)
    if wait:
        raise LoginRefused(wait)
