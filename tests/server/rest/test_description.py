"""The API describes itself, and does what it says."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance
from sqlalchemy.orm import Session

import server.rest
from server.accounts.permissions import PROGRAMS
from server.rest.description import describe
from server.rest.unsupported import unsupported
from tests.server.rest.filled import fill
from tests.server.rest.program import Program, log_in_program

ROLES = ("exchange", "administrator")
# They end or replace what the run itself stands on.
LEFT_OUT = ("/v1/sessions/current", "/v1/sessions/{token}")
# What is asked last changes or ends what the others are asked about.
ORDER = ("GET", "POST", "PUT", "PATCH", "DELETE")
# They say all in their address.
WITHOUT_BODY = {
    "assign", "publish", "bring_back_entity", "csv_export", "zip_export",
}  # fmt: skip


@pytest.fixture
def told(app: Flask) -> dict[str, Any]:
    return describe(app)


def list_rules(app: Flask) -> Iterator[tuple[str, str, Any]]:
    """The address as it is described, the method and the view of each act of `/v1`."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith(f"{PROGRAMS}.") and rule.endpoint != f"{PROGRAMS}.nothing_here":
            path = re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule)
            for method in (rule.methods or set()) & set(ORDER):
                yield path, method, app.view_functions[rule.endpoint]


def test_every_address_is_described_by_its_shapes(client: FlaskClient, app: Flask) -> None:
    told = client.get("/v1/openapi.json").json
    assert told is not None
    validate(told)
    described = {(path, method.upper()) for path, found in told["paths"].items() for method in found}
    assert described == {(path, method) for path, method, _ in list_rules(app)}
    form = told["components"]["schemas"]["FormShape"]["properties"]
    assert form["createdAt"] == {"type": "string", "format": "date-time", "readOnly": True, "nullable": True}
    assert "xmlFormId" in form


def test_every_answer_has_a_schema_except_of_what_is_not_to_be_had(app: Flask, told: dict[str, Any]) -> None:
    for path, method, view in list_rules(app):
        answers = told["paths"][path][method.lower()]["responses"]
        assert ("200" in answers) is not (view is unsupported), path
        assert all(one["schema"] for one in answers.get("200", answers.get("501"))["content"].values()), path


def test_every_body_is_described(app: Flask, told: dict[str, Any]) -> None:
    bodiless = {
        view.__name__
        for path, method, view in list_rules(app)
        if method in ("POST", "PUT", "PATCH") and "requestBody" not in told["paths"][path][method.lower()]
    }
    assert bodiless == WITHOUT_BODY | {"unsupported"}


def test_what_is_read_behind_the_question_mark_is_described_and_the_other_way_round(app: Flask) -> None:
    """Views have no other way to it than `asked`, which holds what their shape names and nothing else."""
    texts = {one.name: one.read_text() for one in Path(server.rest.__file__).parent.glob("*.py")}
    direct = {name for name, text in texts.items() if re.search(r"request\.(args|values|query_string)", text)}
    assert direct == {"speech.py", "odata_manners.py"}
    read = {found for text in texts.values() for found in re.findall(r'asked(?:\(\w+\))?\["(\w+)"\]', text)}
    loaders = {loader for _, _, view in list_rules(app) for loader in getattr(view, "queries", ())}
    assert read == {name for loader in loaders for name in loader.fields}


def test_options_of_a_table_and_of_a_form_are_described(told: dict[str, Any]) -> None:
    def names(path: str, method: str) -> set[str]:
        return {one["name"] for one in told["paths"][path][method]["parameters"] if one["in"] == "query"}

    assert names("/v1/projects/1/forms/{form_id}.svc/{table}", "get") == {
        "$filter", "$select", "$expand", "$top", "$skip", "$skiptoken", "$count", "$orderby", "$search", "$wkt",
        "$format",
    }  # fmt: skip
    assert names("/v1/projects/1/forms", "post") == {"publish", "ignoreWarnings"}
    assert names("/v1/projects/1/datasets/{list_name}/entities/{uuid}", "patch") == {"baseVersion", "force", "resolve"}


def ask(case: schemathesis.Case, program: Program) -> int:
    """Ask, hold the answer against what is described, and tell its status."""
    answer = case.call(headers={"Authorization": f"Bearer {program.token}"})
    assert answer.status_code < 500 or answer.status_code == 501, f"{case.method} {case.formatted_path}"
    case.validate_response(answer, checks=(response_schema_conformance, content_type_conformance))
    return answer.status_code


def list_operations(app: Flask) -> list[Any]:
    load_all_checks()
    found = [one.ok() for one in schemathesis.openapi.from_wsgi("/v1/openapi.json", app).get_all_operations()]
    return sorted(found, key=lambda one: ORDER.index(one.method.upper()))


def pick(operation: Any, known: Mapping[str, Any]) -> dict[str, Any]:
    """Of the known values those that this address has a place for."""
    return {one.name: known[one.name] for one in operation.path_parameters}


def test_every_reading_address_answers_as_described(client: FlaskClient, app: Flask, session: Session) -> None:
    programs = [log_in_program(client, session, role) for role in ROLES]
    known, operations = fill(programs[0]), list_operations(app)
    reading = [one for one in operations if one.method.upper() == "GET"]
    cases = [(one.path, one.Case(path_parameters=pick(one, known))) for one in reading]
    unreached = [path for path, case in cases if not any(ask(case, program) == 200 for program in programs)]
    assert (len(reading) > 50, unreached) == (True, [])


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_whatever_is_asked_the_answer_is_of_its_shape_or_a_problem(
    client: FlaskClient, app: Flask, session: Session, role: str
) -> None:
    known = fill(log_in_program(client, session, email="filler@teral.test"))
    program = log_in_program(client, session, role)
    for operation in list_operations(app):
        if operation.path in LEFT_OUT:
            continue

        @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy(), real=st.booleans())
        def ask_anything(case: schemathesis.Case, real: bool) -> None:
            if real:
                case.path_parameters.update(pick(case.operation, known))
            ask(case, program)

        ask_anything()
