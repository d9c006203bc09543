"""A program that is logged in, and a form that it published."""

from typing import Any

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


@pytest.fixture(scope="session")
def market_workbook() -> dict[str, Any]:
    """The same bytes for all, so that they are converted once; a workbook holds the time when it was made."""
    return to_xlsx(MARKET)


@pytest.fixture
def market(program: Program, market_workbook: dict[str, Any]) -> Program:
    """The form `market` in version 1 is published."""
    answer = program.post("projects/1/forms?publish=true&ignoreWarnings=True", **market_workbook)
    assert answer.status_code == 200, answer.text
    return program
