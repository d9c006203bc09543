"""Requests as a program makes them: a Bearer token, JSON, form ids percent-encoded."""

from typing import Any
from urllib.parse import quote

from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from server.accounts.models import User
from server.extensions import db
from tests.accounts import PASSWORD, add_account


class Program:
    """A script that has logged in as a user."""

    def __init__(self, client: FlaskClient, user: User) -> None:
        self.client, self.user = client, user
        self.email, self.actor_id = user.email, user.actor_id
        answer = client.post("/v1/sessions", json={"email": self.email, "password": PASSWORD})
        db.session.rollback()
        assert answer.status_code == 200, answer.text
        self.token = str(answer.json["token"])  # type: ignore[index]

    def call(self, method: str, path: str, **given: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}"} | given.pop("headers", {})
        answer = self.client.open(f"/v1/{path}", method=method, headers=headers, **given)
        db.session.rollback()  # what the request wrote can be seen by the test from now on
        return answer

    def get(self, path: str, **given: Any) -> TestResponse:
        return self.call("GET", path, **given)

    def post(self, path: str, **given: Any) -> TestResponse:
        return self.call("POST", path, **given)

    def json(self, path: str, **given: Any) -> Any:
        answer = self.get(path, **given)
        assert answer.status_code == 200, answer.text
        return answer.json


def log_in_program(client: FlaskClient, session: Session, role: str = "exchange", **given: Any) -> Program:
    return Program(client, add_account(session, role, **given))


def form_path(form_id: str) -> str:
    return f"projects/1/forms/{quote(form_id, safe='')}"


def problem(answer: TestResponse) -> tuple[int, float]:
    assert answer.is_json
    return answer.status_code, answer.json["code"]  # type: ignore[index]
