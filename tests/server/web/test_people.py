"""People: found by what the reader may know, never by an address that names somebody."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.models import AuditEvent
from tests.accounts import add_account, add_site, log_in
from tests.seed import CANARIES, Seeded, seed

REFERENCE = "TEST2-REF34"


@pytest.fixture
def seeded(session: Session) -> Seeded:
    return seed(session)


def search(client: FlaskClient, asked: str) -> bool:
    return 'href="/people/1"' in client.post("/people/", data={"asked": asked}).text


@pytest.mark.parametrize(
    ("asked", "found"),
    [(CANARIES["D3"][:6].lower(), True), ("awa", True), ("+221770000001", True), (REFERENCE.lower(), True),
     ("%", False), ("ndiaye", False)],
)  # fmt: skip
def test_staff_find_by_name_telephone_and_reference(
    client: FlaskClient, session: Session, seeded: Seeded, asked: str, found: bool
) -> None:
    assert search(log_in(client, add_account(session, "centre_staff", seeded.site)), asked) == found


def test_who_reads_masked_finds_by_reference_only(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    log_in(client, add_account(session, "auditor"))
    assert (search(client, CANARIES["D3"]), search(client, REFERENCE)) == (False, True)


def test_another_site_finds_nobody(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    log_in(client, add_account(session, "centre_staff", add_site(session, "AUTRE", "centre")))
    assert not search(client, REFERENCE)
    assert client.get(f"/people/{seeded.person.id}").status_code == 404


def test_a_look_at_a_person_is_in_the_journal_without_their_name(
    client: FlaskClient, session: Session, seeded: Seeded
) -> None:
    log_in(client, add_account(session, "centre_staff", seeded.site))
    assert CANARIES["D3"] in client.get(f"/people/{seeded.person.id}").text
    session.rollback()
    lines = session.scalars(select(AuditEvent).where(AuditEvent.action == "person.read")).all()
    assert [(one.target, one.details) for one in lines] == [(f"person:{seeded.person.id}", {})]
