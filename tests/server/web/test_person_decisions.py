"""What a reviewer says about one person from that person's page: through the front door, always with the way back."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from server.accounts.models import User
from sync.link_decisions import Word, decide_same
from sync.models import AuditEvent, LinkDecision, PersonRecord
from tests.accounts import add_account, add_site, log_in
from tests.server.web.test_links import BORN, MOUSSA, are_one, list_kept, log_in_another
from tests.sync.factory import NOW
from tests.sync.people import AWA, add_record


@pytest.fixture
def steward(client: FlaskClient, session: Session) -> User:
    user = add_account(session, "data_steward", language="en")
    log_in(client, user)
    return user


def add_awas(session: Session, many: int = 3) -> list[PersonRecord]:
    made = [add_record(session, **AWA, **BORN) for _ in range(many)]
    session.commit()
    return made


def part(
    client: FlaskClient, records: list[PersonRecord], chosen: list[PersonRecord], reason: str = ""
) -> TestResponse:
    """Choose these of the records that the page shows."""
    shown, taken = ([one.reference for one in some] for some in (records, chosen))
    address = f"/people/{records[0].person_id}/part"
    return client.post(address, data={"shown": shown, "record": taken, "reason": reason})


def undo_what_was_decided(client: FlaskClient, person_id: int) -> None:
    undo = re.search(r'action="(/links/decisions/\d+/undo)"', client.get(f"/people/{person_id}").text)
    assert undo
    client.post(undo[1])


def test_a_record_is_taken_out_of_its_person_and_put_back(client: FlaskClient, session: Session, steward: User) -> None:
    one, other = add_awas(session, 2)
    assert f'value="{other.reference}"' in client.get(f"/people/{one.person_id}").text
    part(client, [one, other], [one])
    assert not are_one(session, (one, other))
    undo_what_was_decided(client, one.person_id)
    assert are_one(session, (one, other))
    assert [decision.kind for decision in list_kept(session, LinkDecision)] == ["unlink"]


def test_chosen_records_are_a_person_of_their_own(client: FlaskClient, session: Session, steward: User) -> None:
    one, other, third, fourth = add_awas(session, 4)
    page = client.get(part(client, [one, other, third, fourth], [third, other]).location).text
    assert "The records are taken apart." in page
    assert [are_one(session, pair) for pair in ((one, fourth), (other, third), (one, other))] == [True, True, False]
    undo_what_was_decided(client, one.person_id)
    assert are_one(session, (one, other))


def test_a_page_that_is_out_of_date_parts_nothing(client: FlaskClient, session: Session, steward: User) -> None:
    one, other, third = add_awas(session)
    alone = add_record(session, **MOUSSA)
    session.commit()
    stale = [([one, other], [one, other]), ([one, other], [one])]
    for shown, chosen in (*stale, ([one, alone], [alone]), ([one, other, alone], [other, one])):
        refused = part(client, shown, chosen)
        assert refused.status_code == 422, chosen
    assert "have changed meanwhile" in refused.text
    assert (are_one(session, (one, third)), list_kept(session, LinkDecision)) == (True, [])


def test_some_records_are_chosen_and_some_are_not(client: FlaskClient, session: Session, steward: User) -> None:
    records = add_awas(session)
    for chosen in ([], records):
        refused = part(client, records, chosen)
        assert (refused.status_code, "Choose some of the records" in refused.text) == (422, True)


@pytest.mark.parametrize("many", [1, 2])
def test_parting_against_a_document_takes_two_people_and_a_reason(
    client: FlaskClient, session: Session, steward: User, many: int
) -> None:
    records = [add_record(session, **MOUSSA) for _ in range(3)]
    session.commit()
    refused = part(client, records, records[:many])
    assert (refused.status_code, "Give a reason" in refused.text) == (422, True)
    part(client, records, records[:many], "a passport that was lent")
    assert are_one(session, (records[0], records[2]))
    (decision,) = list_kept(session, LinkDecision)
    log_in_another(client, session, "data_steward", email="second@teral.test")
    client.post(f"/links/decisions/{decision.id}/confirm")
    assert not are_one(session, (records[0], records[2]))


@pytest.mark.parametrize("many", [1, 2])
def test_who_may_not_read_all_of_a_person_decides_nothing(client: FlaskClient, session: Session, many: int) -> None:
    """Else they would also say of records which they have never seen that they are of somebody else."""
    own, elsewhere = add_site(session, "DKR-C", "centre"), add_site(session, "ROSSO")
    mine = [add_record(session, **AWA, **BORN, site_id=own.id) for _ in range(3)]
    far = add_record(session, **MOUSSA, site_id=elsewhere.id)
    decide_same(session, mine[0].reference, far.reference, Word(None, NOW))
    session.commit()
    log_in(client, add_account(session, "protection_officer", own, language="en"))
    refused = part(client, mine, mine[:many])
    assert (refused.status_code, "not yours to read" in refused.text) == (422, True)
    assert far.reference not in refused.text
    refused = set_value(client, mine[0].person_id, "mother_name", "Kumba Sarr")
    assert (refused.status_code, "not yours to read" in refused.text) == (422, True)
    assert [one.kind for one in list_kept(session, LinkDecision)] == ["same"]


def set_value(client: FlaskClient, person_id: int, name: str, value: str) -> TestResponse:
    return client.post(f"/people/{person_id}/value", data={"name": name, "value": value, "reason": "seen with her"})


def test_a_value_that_is_set_stands_until_it_is_undone(client: FlaskClient, session: Session, steward: User) -> None:
    one, other = add_awas(session, 2)
    page = client.get(set_value(client, one.person_id, "mother_name", " Kumba Sarr ").location).text
    assert all(words in page for words in ("Kumba Sarr", "Set by hand", "value set by hand: Mother", "seen with her"))
    assert "Kumba Sarr" not in client.get(f"/links/{one.home_id}/{other.home_id}").text
    undo_what_was_decided(client, one.person_id)
    assert "Kumba Sarr" not in client.get(f"/people/{one.person_id}").text


def test_undoing_a_value_leads_back_to_the_person(client: FlaskClient, session: Session, steward: User) -> None:
    (one,) = add_awas(session, 1)
    set_value(client, one.person_id, "age", "31")
    (decision,) = list_kept(session, LinkDecision)
    assert client.post(f"/links/decisions/{decision.id}/undo").location == f"/people/{one.person_id}"


def test_a_value_is_asked_for_as_its_property_has_it(client: FlaskClient, session: Session, steward: User) -> None:
    one, other = add_awas(session, 2)
    asked = {"sex": '<option value="2">Female', "birth_date": 'type="date"', "age": 'max="130"', "phone": "maxlength"}
    for name, asks in asked.items():
        page = client.get(f"/people/{one.person_id}/value?name={name}").text
        assert all(words in page for words in (asks, one.reference, other.reference)), name


def test_what_no_record_could_say_cannot_be_set(client: FlaskClient, session: Session, steward: User) -> None:
    (one,) = add_awas(session, 1)
    for name, value in (("sex", "?"), ("nationality", ""), ("birth_date", "12/04/1991")):
        refused = set_value(client, one.person_id, name, value)
        assert (refused.status_code, "cannot have this value" in refused.text) == (422, True), name
    assert list_kept(session, LinkDecision) == []


def test_what_is_no_property_of_the_page_is_not_there(client: FlaskClient, session: Session, steward: User) -> None:
    (one,) = add_awas(session, 1)
    for name in ("", "mrz", "age_basis", "reference"):
        assert client.get(f"/people/{one.person_id}/value?name={name}").status_code == 404
        assert set_value(client, one.person_id, name, "x").status_code == 404


def test_a_refusal_that_shows_the_person_is_journaled(client: FlaskClient, session: Session, steward: User) -> None:
    one, other = add_awas(session, 2)
    for refused in (part(client, [one, other], []), set_value(client, one.person_id, "birth_date", "12/04/1890")):
        assert (refused.status_code, "1991" in refused.text) == (422, True)
    session.rollback()
    read = session.scalars(select(AuditEvent.target).where(AuditEvent.action == "person.read")).all()
    assert read == [f"person:{one.person_id}"] * 2
