"""What programs are told that ask for Central's extended metadata."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests.accounts import add_site
from tests.server.rest.program import Program, form_path, log_in_program
from tests.server.rest.samples import record

MORE: dict[str, Any] = {"headers": {"X-Extended-Metadata": "true"}}
FORM, ONE = form_path("market"), "projects/1/datasets/boats"
RECORDS = f"{FORM}/submissions"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def added(program: Program, path: str) -> Any:
    """What is told in addition, of the first one where there are many; nothing of the rest is told otherwise."""
    plain, more = program.json(path), program.json(path, **MORE)
    if isinstance(plain, list):
        assert len(plain) == len(more)
        plain, more = plain[0], more[0]
    assert more | plain | {"currentVersion": None} == more | {"currentVersion": None}
    return {name: value for name, value in more.items() if name not in plain}


@pytest.fixture
def records(market: Program) -> Program:
    """Two records, of which one has issues and was edited before."""
    for instance in ("uuid:a", "uuid:b"):
        assert market.post(RECORDS, data=record(instance)).status_code == 200
    market.call("PATCH", f"{RECORDS}/uuid:b", json={"reviewState": "hasIssues"})
    return market


@pytest.fixture
def boats(market: Program) -> Program:
    market.post("projects/1/datasets", json={"name": "boats"})
    market.post(f"{ONE}/entities", json={"label": "Yaye", "uuid": "12345678-1234-4123-8123-123456789abc"})
    return market


@pytest.mark.both_databases
def test_a_form_tells_of_its_records_and_who_made_it(records: Program) -> None:
    told = added(records, FORM)
    assert told["createdBy"]["id"] == records.actor_id
    assert told["lastSubmission"] == records.json(RECORDS)[0]["createdAt"]
    assert {name: value for name, value in told.items() if name not in ("createdBy", "lastSubmission")} == {
        "submissions": 2, "reviewStates": {"received": 1, "hasIssues": 1, "edited": 0},
        "excelContentType": EXCEL, "entityRelated": False, "publicLinks": 0, "publishNotes": None,
    }  # fmt: skip
    assert added(records, f"{FORM}/versions/1") == added(records, "projects/1/forms") | {"publishNotes": None} == told
    version = added(records, f"{FORM}/versions")
    assert (version["publishedBy"]["id"], version["excelContentType"]) == (records.actor_id, EXCEL)


def test_a_draft_tells_of_its_tests(records: Program) -> None:
    records.post(f"{FORM}/draft")
    records.post(f"{FORM}/draft/submissions", data=record("uuid:test"))
    assert added(records, f"{FORM}/draft")["submissions"] == 1
    assert added(records, FORM)["submissions"] == 2


def test_a_record_tells_who_sent_it(records: Program) -> None:
    for path in (RECORDS, f"{RECORDS}/uuid:a", f"{RECORDS}/uuid:a/versions", f"{RECORDS}/uuid:a/versions/uuid:a"):
        assert added(records, path)["submitter"]["id"] == records.actor_id, path
    whole = records.json(f"{RECORDS}/uuid:a", **MORE)
    assert whole["currentVersion"]["submitter"] == whole["submitter"]
    assert whole["currentVersion"]["instanceId"] == "uuid:a"
    assert added(records, f"{RECORDS}/uuid:b/audits")["actor"]["id"] == records.actor_id


@pytest.mark.both_databases
def test_a_list_tells_of_its_entities_and_they_tell_who_made_them(boats: Program) -> None:
    made = boats.json(f"{ONE}/entities")[0]
    assert added(boats, ONE) == {"entities": 1, "lastEntity": made["createdAt"], "conflicts": 0}
    assert added(boats, "projects/1/datasets")["entities"] in (0, 1)  # the shipped lists are empty
    for path in (f"{ONE}/entities", f"{ONE}/entities/{made['uuid']}"):
        assert added(boats, path)["creator"]["id"] == boats.actor_id, path
        assert boats.json(path, **MORE)
    assert boats.json(f"{ONE}/entities", **MORE)[0]["currentVersion"]["creator"]["id"] == boats.actor_id
    assert added(boats, f"{ONE}/entities/{made['uuid']}/audits")["actor"]["id"] == boats.actor_id
    project = added(boats, "projects/1")
    assert (project["datasets"], project["lastEntity"]) == (len(boats.json("projects/1/datasets")), made["createdAt"])


def test_accounts_tell_what_they_may_do_and_who_made_them(
    market: Program, client: FlaskClient, session: Session
) -> None:
    add_site(session)
    session.commit()
    tablet = market.post("projects/1/app-users", json={"displayName": "T-1"}).json
    assert added(market, "projects/1/app-users")["createdBy"]["id"] == market.actor_id
    assert added(market, f"{FORM}/assignments")["actor"]["id"] == tablet["id"]  # type: ignore[index]
    assert "submission.create" in added(market, "users/current")["verbs"]
    assert added(market, "users/current")["preferences"] == {"site": {}, "projects": {}}
    auditor = log_in_program(client, session, "auditor")
    assert "submission.create" not in added(auditor, "users/current")["verbs"]
    assert added(auditor, "audits").keys() == {"actor"}


def test_only_readers_of_accounts_are_told_who_somebody_is(
    records: Program, client: FlaskClient, session: Session
) -> None:
    staff = log_in_program(client, session, "data_steward")
    told = staff.json(RECORDS, **MORE)
    assert [one["submitter"] for one in told] == [None, None]
    assert (len(records.json(f"{RECORDS}/submitters")), staff.json(f"{RECORDS}/submitters")) == (1, [])
    # Who counts no records is told of none.
    designer = log_in_program(client, session, "form_designer")
    assert [added(designer, FORM)[name] for name in ("submissions", "lastSubmission", "createdBy")] == [0, None, None]


def test_nothing_more_is_told_unasked(records: Program) -> None:
    assert "submissions" not in records.json(FORM, headers={"X-Extended-Metadata": "false"})
