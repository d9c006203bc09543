"""A program logs in, is known, and is shut out like everybody else."""

import base64
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from server.accounts.models import UserSession
from server.accounts.users import change_user
from tests.accounts import PASSWORD, add_account, log_in
from tests.server.rest.program import Program, log_in_program, problem


def try_to_log_in(client: FlaskClient, email: str, password: str) -> tuple[int, float]:
    return problem(client.post("/v1/sessions", json={"email": email, "password": password}))


def test_a_token_tells_who_the_program_is(program: Program) -> None:
    known = program.json("users/current")
    assert (known["email"], known["id"], known["type"]) == (program.email, program.actor_id, "user")


def test_the_token_is_kept_as_a_hash_only(program: Program, session: Session) -> None:
    kept = session.query(UserSession).one()
    assert program.token not in (kept.token_sha256, *map(str, vars(kept).values()))


def test_nothing_is_told_without_a_token(client: FlaskClient) -> None:
    assert problem(client.get("/v1/projects")) == (401, 401.2)
    assert problem(client.get("/v1/projects", headers={"Authorization": "Bearer nobody"})) == (401, 401.2)


def test_a_cookie_is_no_login_here_and_a_token_none_on_pages(client: FlaskClient, session: Session) -> None:
    user = add_account(session)
    program = Program(client, user)
    assert client.get("/users/", headers={"Authorization": f"Bearer {program.token}"}).status_code == 302
    assert problem(log_in(client, user).get("/v1/projects")) == (401, 401.2)


def test_the_sixth_try_is_refused_whether_by_page_or_by_program(client: FlaskClient, session: Session) -> None:
    email = add_account(session).email
    session.rollback()
    for _ in range(3):
        assert try_to_log_in(client, email, "wrong-wrong") == (401, 401.2)
        client.post("/login", data={"email": email, "password": "wrong-wrong"})
    assert try_to_log_in(client, email, PASSWORD) == (429, 429.1)


def test_logging_out_ends_the_token(program: Program) -> None:
    assert program.call("DELETE", "sessions/current").json == {"success": True}
    assert problem(program.get("projects")) == (401, 401.2)


def test_a_session_is_ended_by_its_token_too_but_by_no_stranger(
    program: Program, client: FlaskClient, session: Session
) -> None:
    stranger = log_in_program(client, session, "auditor")
    assert problem(stranger.call("DELETE", f"sessions/{program.token}")) == (403, 403.1)
    assert program.call("DELETE", f"sessions/{program.token}").status_code == 200
    assert program.get("projects").status_code == 401


def test_a_token_runs_out(program: Program, session: Session) -> None:
    session.execute(update(UserSession).values(expires_at=datetime(2020, 1, 1, tzinfo=UTC)))
    session.commit()
    assert program.get("projects").status_code == 401


def test_a_disabled_account_is_out_at_once(program: Program, session: Session) -> None:
    add_account(session)
    now = datetime.now(UTC)
    change_user(session, program.user, role="exchange", site=None, disabled=True, now=now, by=None)
    session.commit()
    assert program.get("projects").status_code == 401


@pytest.mark.parametrize(("scheme", "status", "code"), [("https", 200, None), ("http", 401, 401.3)])
def test_basic_is_heard_over_https_only(
    client: FlaskClient, session: Session, scheme: str, status: int, code: float | None
) -> None:
    given = base64.b64encode(f"{add_account(session).email}:{PASSWORD}".encode()).decode()
    session.rollback()
    headers = {"Authorization": f"Basic {given}"}
    answer = client.get("/v1/projects", headers=headers, base_url=f"{scheme}://teral.test")
    assert (answer.status_code, answer.json.get("code") if code else None) == (status, code)


def test_wrong_passwords_in_a_header_count_as_tries(client: FlaskClient, session: Session) -> None:
    user = add_account(session)
    given = base64.b64encode(f"{user.email}:wrong-wrong".encode()).decode()
    session.rollback()
    codes = [
        client.get("/v1/projects", headers={"Authorization": f"Basic {given}"}, base_url="https://t.test").status_code
        for _ in range(6)
    ]
    assert codes == [401] * 5 + [429]


def test_a_one_time_password_opens_nothing(client: FlaskClient, session: Session) -> None:
    user = add_account(session)
    program = Program(client, user)
    user.must_change_password = True
    session.commit()
    assert problem(program.get("projects/1/forms")) == (403, 403.1)


def test_only_who_manages_users_lists_them(client: FlaskClient, session: Session, program: Program) -> None:
    administrator = log_in_program(client, session, "administrator")
    assert program.email in [one["email"] for one in administrator.json("users")]
    assert administrator.json(f"users/{program.actor_id}")["email"] == program.email
    assert problem(program.get("users")) == (403, 403.1)


def test_the_session_can_be_asked_after(program: Program) -> None:
    assert program.json("sessions/restore")["expiresAt"].endswith("Z")
