"""Every address of `/v1` as every role and as nobody, held against the policy table."""

import io
import zipfile
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from server.accounts.permissions import LOGGED_IN, PROGRAMS, PUBLIC, permission_of
from sync.answers import rebuild_answers
from sync.models import IssuedVersion
from sync.policy import PERMISSIONS, ROLES, SITE_ROLES, TABLE, Viewer, access
from tests.accounts import add_account, add_site
from tests.seed import CANARIES, Seeded, add_submission, publish, seed
from tests.server.rest.program import Program

Visited = dict[tuple[str, str, str], tuple[int, str]]

READERS_OF_FILE = {role for role in ROLES if TABLE[role]["D7"].reads_plainly}
READERS_OF_ALL = {"protection_officer", "exchange"}
# Addresses that look at an answer's class beyond the route's permission, and the roles for which they open.
NARROWER = {
    "rest.submission_xml": READERS_OF_ALL,
    "rest.submission_version_xml": READERS_OF_ALL,
    "rest.submission_file": READERS_OF_FILE,
    "rest.submission_version_file": READERS_OF_FILE,
}
# What those find who read all, so that there is something to keep from the others.
TELLING = {
    "rest.entity": {"D3", "D4"}, "rest.entity_versions": {"D3", "D4"}, "rest.entity_differences": {"D4"},
    "rest.entity_table": {"D3", "D4"}, "rest.entity_csv": {"D3", "D4"}, "rest.table": {"D1", "D2"},
    "rest.csv_export": {"D1", "D2"}, "rest.zip_export": {"D1", "D2", "D3", "D4", "D7"},
    "rest.workbook_export": {"D1", "D2", "D3", "D4"}, "rest.parquet_export": {"D1", "D2"},
    "rest.parquet_zip_export": {"D1", "D2", "D3", "D4"}, "rest.submission_file": {"D7"},
}  # fmt: skip
# What ends the caller's own session would end the visit.
LEFT_OUT = {"rest.close_session", "rest.close_named_session"}


@pytest.fixture
def seeded(session: Session) -> Seeded:
    """A record of everything, its answers as exports read them, and a stay that was served twice."""
    found, now = seed(session), datetime.now(UTC)
    rebuild_answers(session)
    for number, urgence in enumerate(("1", CANARIES["D4"]), start=1):
        told = {**found.entity.properties, "urgence": urgence}
        served = {"label": CANARIES["D3"], "properties": told, "issued_at": now}
        found.entity.issued.append(IssuedVersion(number=number, added=[], removed=[], **served))
    session.commit()
    return found


def list_rules(app: Flask) -> list[tuple[str, Rule]]:
    """Reading comes first: what is written on the way must not hide what could be read."""
    found = [
        (method, rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith(f"{PROGRAMS}.") and rule.endpoint not in LEFT_OUT
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"})
    ]
    return sorted(found, key=lambda one: (one[0] != "GET", one[0] == "DELETE", one[1].rule))


def address(app: Flask, rule: Rule, seeded: Seeded) -> str:
    given = {
        "form_id": "f04_arrivee", "version": seeded.version.version, "name": "audit.csv", "kind": "xlsx",
        "actor_id": seeded.device.actor_id, "role_id": 2, "token": "x", "anywhere": "nowhere", "instance_id": "uuid:1",
        "version_id": "uuid:1", "table": "Submissions", "list_name": "dossiers",
        "uuid": seeded.entity.uuid, "sha256": "0" * 64, "record": "Submissions('uuid:1')", "inner": "personnes",
    }  # fmt: skip
    with app.test_request_context():
        return app.url_for(rule.endpoint, **{name: given[name] for name in rule.arguments})


def visit(app: Flask, client: FlaskClient, seeded: Seeded, program: Program | None) -> Visited:
    rules = [(method, rule, address(app, rule, seeded)) for method, rule in list_rules(app)]
    found = {}
    for method, rule, url in rules:
        path = url.removeprefix("/v1/")
        answer = program.call(method, path) if program else client.open(url, method=method)
        found[method, rule.endpoint, path] = (answer.status_code, read_through(answer.data))
    return found


def read_through(data: bytes) -> str:
    """What a file says to whoever opens it: archives and workbooks by their members, Parquet by its rows."""
    if data.startswith(b"PAR1"):
        return str(pq.read_table(io.BytesIO(data)).to_pylist())
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return "".join(f"{name} {read_through(archive.read(name))}" for name in archive.namelist())
    return data.decode(errors="replace")


def test_nobody_gets_in_anywhere(app: Flask, client: FlaskClient, seeded: Seeded) -> None:
    for (method, endpoint, _path), (status, said) in visit(app, client, seeded, None).items():
        expected = {200, 400, 404} if permission_of(endpoint) == PUBLIC else {401}
        assert status in expected, f"{method} {endpoint}"
        assert not any(canary in said for canary in CANARIES.values()), endpoint


@pytest.mark.parametrize("role", ROLES)
def test_each_role_gets_in_and_finds_what_the_table_says(
    app: Flask, client: FlaskClient, session: Session, seeded: Seeded, role: str
) -> None:
    user = add_account(session, role, seeded.site if role in SITE_ROLES else None)
    viewer = Viewer(user.actor_id, role, user.site_id)
    visited = visit(app, client, seeded, Program(client, user))
    for (method, endpoint, _path), (status, said) in visited.items():
        # Of a record that the role may not know of, nothing is said either.
        refusals = {403, 404} if endpoint in NARROWER and not is_allowed(role, endpoint) else {403}
        assert (status not in refusals) == is_allowed(role, endpoint), f"{method} {endpoint}: {status} {said}"
        assert status < 500 or status == 501, f"{method} {endpoint}: {said}"
    check_finds(viewer, "".join(said for _status, said in visited.values()))
    if role == "exchange":
        told = {endpoint: find_canaries(said) for (_method, endpoint, _path), (_status, said) in visited.items()}
        assert {endpoint: told[endpoint] for endpoint in TELLING} == TELLING


def is_allowed(role: str, endpoint: str) -> bool:
    name = permission_of(endpoint)
    return name in (PUBLIC, LOGGED_IN) or role in PERMISSIONS[name or ""] & NARROWER.get(endpoint, set(ROLES))


def find_canaries(said: str) -> set[str]:
    return {name for name, canary in CANARIES.items() if canary in said}


def check_finds(viewer: Viewer, everything: str) -> None:
    assert find_canaries(everything) <= {name for name in CANARIES if access(viewer, name).reads_plainly}


@pytest.mark.parametrize("role", sorted(SITE_ROLES))
def test_another_site_is_as_if_it_were_not_there(
    app: Flask, client: FlaskClient, session: Session, seeded: Seeded, role: str
) -> None:
    user = add_account(session, role, add_site(session, "ROSSO"))
    for (method, endpoint, path), (status, said) in visit(app, client, seeded, Program(client, user)).items():
        assert not any(canary in said for canary in CANARIES.values()), f"{method} {endpoint}"
        if "uuid%3A1" in path or seeded.entity.uuid in path:
            # 400: the body is judged before anybody looks whether the record is there; 501: nobody looks at all.
            assert status in (400, 403, 404, 501), f"{method} {endpoint}: {status}"


@pytest.mark.both_databases
@pytest.mark.parametrize(("role", "finds"), [("national_supervisor", 0), ("exchange", 1)])
def test_a_label_is_looked_for_by_those_who_read_it(
    client: FlaskClient, session: Session, seeded: Seeded, role: str, finds: int
) -> None:
    program = Program(client, add_account(session, role))
    table, word = "projects/1/datasets/dossiers.svc/Entities", CANARIES["D3"]
    assert len(program.json(f"{table}?$search={word}")["value"]) == finds
    assert len(program.json(f"{table}?$search={seeded.entity.uuid}")["value"]) == 1
    for asked in (f"$filter=startswith(label, '{word[0]}')", f"$filter=label eq '{word}'", "$orderby=label"):
        assert program.get(f"{table}?{asked}").status_code == (200 if finds else 501), asked


@pytest.mark.parametrize(("role", "finds"), [("national_supervisor", False), ("exchange", True)])
def test_files_of_records_are_exported_to_those_who_read_all(
    client: FlaskClient, session: Session, seeded: Seeded, role: str, finds: bool
) -> None:
    """Nobody knows what an officer's picture shows: also of a record that the role may export."""
    version, _draft = publish(session, "f03_evenement", datetime.now(UTC))
    add_submission(session, seeded.site, seeded.device, version, datetime.now(UTC), "uuid:3")
    session.commit()
    program = Program(client, add_account(session, role))
    told = read_through(program.get("projects/1/forms/f03_evenement/submissions.csv.zip").data)
    assert ("uuid:3" in told, "f03_evenement - audit.csv" in told, CANARIES["D7"] in told) == (True, finds, finds)
