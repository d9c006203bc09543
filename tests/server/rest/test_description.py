"""The API describes itself, and does what it says."""

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import validate
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import response_schema_conformance
from sqlalchemy.orm import Session

from server.accounts.permissions import PROGRAMS
from tests.server.rest.program import Program
from tests.server.rest.samples import record
from tests.server.rest.test_submissions import send

# They end or replace what the run itself stands on.
LEFT_OUT = ("/v1/sessions/current", "/v1/sessions/{token}")


def test_every_address_is_described_by_its_shapes(client: FlaskClient, app: Flask) -> None:
    told = client.get("/v1/openapi.json").json
    assert told is not None
    validate(told)
    described = sum(len(operations) for operations in told["paths"].values())
    routes = [
        one for one in app.url_map.iter_rules() if one.endpoint.startswith(f"{PROGRAMS}.") and "path:" not in one.rule
    ]
    assert described == len(
        {(one.rule, method) for one in routes for method in (one.methods or set()) - {"HEAD", "OPTIONS"}}
    )
    form = told["components"]["schemas"]["FormShape"]["properties"]
    assert form["createdAt"] == {"type": "string", "format": "date-time", "readOnly": True, "nullable": True}
    assert "xmlFormId" in form


@pytest.mark.slow
def test_whatever_is_asked_the_answer_is_of_its_shape_or_a_problem(
    market: Program, app: Flask, session: Session
) -> None:
    send(market, record("a"))
    load_all_checks()
    api = schemathesis.openapi.from_wsgi("/v1/openapi.json", app)
    headers = {"Authorization": f"Bearer {market.token}"}
    for found in api.get_all_operations():
        operation = found.ok()
        if operation.path in LEFT_OUT:
            continue

        @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:
            answer = case.call(headers=headers)
            assert answer.status_code < 500 or answer.status_code == 501, f"{case.method} {case.formatted_path}"
            case.validate_response(answer, checks=(response_schema_conformance,))

        ask()
