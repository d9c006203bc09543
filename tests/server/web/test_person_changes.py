"""What became of links is on the person's page and, page by page, for the whole registry."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from server.web.paging import PAGE_SIZE
from sync.link_decisions import Word, decide_apart
from sync.models import PersonRecord
from tests.accounts import add_account, add_site, log_in
from tests.server.web.test_links import BORN, log_in_another
from tests.sync.factory import NOW
from tests.sync.people import AWA, add_alike, add_record
from tests.sync.test_link_changes import add_passport


@pytest.fixture
def records(client: FlaskClient, session: Session) -> list[PersonRecord]:
    """Two records were one person until a third with another passport came; a data steward looks."""
    made = [add_passport(session, "A1234567"), add_record(session, **AWA, **BORN), add_passport(session, "B7654321")]
    log_in(client, add_account(session, "data_steward", language="en"))
    session.commit()
    return made


def test_a_person_shows_which_records_came_and_left_and_why(client: FlaskClient, records: list[PersonRecord]) -> None:
    first, second, third = records
    page = client.get(f"/people/{first.home_id}").text
    assert f'href="/people/{second.home_id}">{second.reference}</a>' in page
    for words in ("was taken out of person", "was linked to person", "A record came, changed or went. Model"):
        assert words in page
    assert "People were asked about it instead." in page
    assert f"/links/{third.home_id}/{first.home_id}" in page or f"/links/{first.home_id}/{third.home_id}" in page
    assert f'href="/people/{first.home_id}/changes"' in page


def test_a_person_of_whom_nothing_was_linked_has_no_such_section(client: FlaskClient, session: Session) -> None:
    alone = add_record(session, **AWA)
    log_in(client, add_account(session, "data_steward", language="en"))
    assert 'id="changes"' not in client.get(f"/people/{alone.person_id}").text
    assert "Nothing yet." in client.get(f"/people/{alone.person_id}/changes").text


@pytest.mark.parametrize("lead", ["/people/", "/links/"])
def test_the_newest_of_the_whole_registry_are_a_page_away(
    client: FlaskClient, records: list[PersonRecord], lead: str
) -> None:
    assert 'href="/people/changes"' in client.get(lead).text
    page = client.get("/people/changes").text
    assert page.index("was taken out of person") < page.index("was linked to person")


def test_there_are_pages_of_them(client: FlaskClient, session: Session, records: list[PersonRecord]) -> None:
    add_alike(session, PAGE_SIZE, **AWA, **BORN, document_type="P", document_number="A1234567")
    session.commit()
    for address in ("/people/changes", "/people/1/changes"):
        assert f"{address}?before=" in client.get(address).text
        older = client.get(f"{address}?before=3").text
        assert ("was linked to person" in older, f'href="{address}"' in older) == (True, True)


def test_a_site_hears_only_of_its_own(client: FlaskClient, session: Session) -> None:
    own, elsewhere = add_site(session, "DKR-C", "centre"), add_site(session, "ROSSO")
    mine = add_record(session, **AWA, **BORN, site_id=own.id)
    far = add_record(session, **AWA, **BORN, site_id=elsewhere.id)
    decide_apart(session, mine.reference, far.reference, Word(None, NOW))
    session.commit()
    log_in(client, add_account(session, "centre_staff", own, language="en"))
    for address in (f"/people/{mine.person_id}", f"/people/{mine.person_id}/changes", "/people/changes"):
        page = client.get(address)
        assert (page.status_code, far.reference in page.text, "was taken out" in page.text) == (200, False, False)
    assert client.get(f"/people/{far.person_id}/changes").status_code == 404


def test_a_look_is_journalled(client: FlaskClient, session: Session, records: list[PersonRecord]) -> None:
    client.get(f"/people/{records[0].home_id}/changes")
    log_in_another(client, session, "auditor")
    assert f"person:{records[0].home_id}" in client.get("/audit/").text
