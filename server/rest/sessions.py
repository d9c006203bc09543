"""Sessions and users of `/v1`: where a program logs in, and who it is."""

from datetime import UTC, datetime
from typing import Any

from flask import abort, g
from sqlalchemy import select

from server.accounts.logins import LoginRefused, check_login
from server.accounts.models import User
from server.accounts.permissions import LOGGED_IN, PUBLIC, permission, reads_first
from server.accounts.programs import find_program_login, issue_token
from server.accounts.sessions import current_user, current_viewer, end_session
from server.accounts.users import list_users
from server.extensions import db
from server.rest.app_users import revoke_by_token
from server.rest.extended import USER
from server.rest.problems import Problem, answer_problem
from server.rest.shapes import Credentials, Done, SessionShape, Token, UserShape
from server.rest.speech import answers, blueprint, takes
from sync.policy import may


@blueprint.post("/sessions")
@permission(PUBLIC)
@reads_first
@answers(Token)
@takes(Credentials)
def open_session(body: dict[str, Any]) -> Any:
    now = datetime.now(UTC)
    try:
        user = check_login(body["email"], body["password"], now)
    except LoginRefused as refused:
        db.session.commit()  # the failure counts, though the answer is an error
        headers = {"Retry-After": str(refused.wait_s)} if refused.wait_s else None
        return answer_problem(Problem(429.1 if refused.wait_s else 401.2), headers)
    return issue_token(db.session(), user, now)


@blueprint.get("/sessions/restore")
@permission(LOGGED_IN)
@answers(SessionShape)
def restore_session() -> Any:
    return g.login or abort(404)


@blueprint.delete("/sessions/current")
@permission(LOGGED_IN)
@answers(Done)
def close_session() -> Any:
    end_session(datetime.now(UTC))
    return {}


@blueprint.delete("/sessions/<segment:token>")
@permission(LOGGED_IN)
@answers(Done)
def close_named_session(token: str) -> Any:
    """The caller's own, or, for those who enrol tablets, a tablet's."""
    now = datetime.now(UTC)
    login, user = find_program_login(db.session(), token, now), current_user()
    if login is not None and user is not None and login.user_id == user.id:
        login.ended_at = now
    elif not (may(current_viewer(), "devices.enrol") and revoke_by_token(token, now)):
        raise Problem(403.1)
    return {}


@blueprint.get("/users/current")
@permission(LOGGED_IN)
@answers(UserShape, more=USER)
def current() -> Any:
    return current_user()


@blueprint.get("/users")
@permission("users.manage")
@answers(UserShape, many=True)
def users() -> Any:
    return list_users(db.session())


@blueprint.get("/users/<int:actor_id>")
@permission("users.manage")
@answers(UserShape)
def user(actor_id: int) -> Any:
    return db.session.scalar(select(User).where(User.actor_id == actor_id)) or abort(404)
