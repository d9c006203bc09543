"""A program that is logged in, and a form that it published."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests.server.rest.program import Program, log_in_program
from tests.server.rest.samples import MARKET, to_xlsx
from tests.server.web.conftest import Browser


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    return Browser(app, app.response_class)


@pytest.fixture
def program(client: FlaskClient, session: Session) -> Program:
    return log_in_program(client, session)


@pytest.fixture
def market(program: Program) -> Program:
    """The form `market` in version 1 is published."""
    answer = program.post("projects/1/forms?publish=true&ignoreWarnings=True", **to_xlsx(MARKET))
    assert answer.status_code == 200, answer.text
    return program
