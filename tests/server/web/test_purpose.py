"""For what a reader opens identities: asked first, noted, and not for long."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.sessions import PURPOSE_KEY, PURPOSE_TIME
from sync.models import AuditEvent
from sync.policy import PROGRAM_ROLES, ROLES
from tests.accounts import add_account, log_in
from tests.seed import CANARIES, Seeded, seed

MASKED = f"{CANARIES['D3'][0]}•••"


@pytest.fixture
def seeded(session: Session) -> Seeded:
    return seed(session)


@pytest.fixture
def supervisor(client: FlaskClient, session: Session) -> FlaskClient:
    return log_in(client, add_account(session, "national_supervisor"))


def test_people_open_once_a_purpose_is_stated(supervisor: FlaskClient, seeded: Seeded) -> None:
    asked = supervisor.get(f"/people/{seeded.person.id}")
    assert (asked.status_code, asked.location) == (302, f"/purpose/?next=/people/{seeded.person.id}")
    back = supervisor.post("/purpose/", data={"purpose": "oversight", "next": f"/people/{seeded.person.id}"})
    assert MASKED in supervisor.get(back.location).text


def test_a_record_keeps_its_identities_until_then(supervisor: FlaskClient, seeded: Seeded) -> None:
    address = f"/submissions/{seeded.submission.id}"
    before = supervisor.get(address).text
    supervisor.post("/purpose/", data={"purpose": "oversight"})
    after = supervisor.get(address).text
    assert (MASKED in before, MASKED in after) == (False, True)
    assert ("/purpose/?next=" in before, "/purpose/?next=" in after) == (True, False)


def test_the_journal_tells_for_what_somebody_was_looked_at(
    supervisor: FlaskClient, session: Session, seeded: Seeded
) -> None:
    supervisor.post("/purpose/", data={"purpose": "legal_request"})
    supervisor.get(f"/people/{seeded.person.id}")
    session.rollback()  # what the requests wrote can be seen from now on
    lines = session.scalars(select(AuditEvent).order_by(AuditEvent.id))
    told = [one.action for one in lines if one.details.get("purpose") == "legal_request"]
    assert told == ["purpose.stated", "person.read"]


def test_a_purpose_ends_after_a_while(supervisor: FlaskClient, seeded: Seeded) -> None:
    supervisor.post("/purpose/", data={"purpose": "oversight"})
    with supervisor.session_transaction() as cookie:
        purpose, until = cookie[PURPOSE_KEY]
        assert until <= (datetime.now(UTC) + PURPOSE_TIME).timestamp()
        cookie[PURPOSE_KEY] = [purpose, (datetime.now(UTC) - timedelta(seconds=1)).timestamp()]
    assert supervisor.get("/people/").location == "/purpose/?next=/people/"


def test_a_purpose_ends_with_the_login(supervisor: FlaskClient, seeded: Seeded) -> None:
    supervisor.post("/purpose/", data={"purpose": "oversight"})
    supervisor.post("/logout")
    with supervisor.session_transaction() as cookie:
        assert PURPOSE_KEY not in cookie


@pytest.mark.parametrize("purpose", ["", "curiosity"])
def test_a_purpose_that_nobody_listed_is_none(supervisor: FlaskClient, seeded: Seeded, purpose: str) -> None:
    assert supervisor.post("/purpose/", data={"purpose": purpose}).status_code == 400
    assert supervisor.get("/people/").status_code == 302


def test_a_link_from_outside_leads_nowhere(supervisor: FlaskClient) -> None:
    answer = supervisor.post("/purpose/", data={"purpose": "oversight", "next": "//elsewhere.example/"})
    assert answer.location == "/"


@pytest.mark.parametrize("role", sorted(set(ROLES) - PROGRAM_ROLES - {"national_supervisor"}))
def test_nobody_else_is_asked(app: Flask, client: FlaskClient, session: Session, seeded: Seeded, role: str) -> None:
    assert log_in(client, add_account(session, role)).get("/people/").status_code in (200, 403)
