"""Records of an older register come as if a tablet had sent them, with where they come from."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.processing import process_pending
from sync.db import begin_write
from sync.intake import Sender
from sync.legacy import Taken, find_new, publish_legacy_form, take_in
from sync.linkage.record import LinkRecord
from sync.models import PersonRecord, Submission
from tests.sync.factory import NOW
from tests.sync.meetings import AWA_AGAIN, meet, persons, prepare

AWA = LinkRecord(
    "17", "Ndiaye", "Awa", "2", date(1994, 5, 17), None, "SEN", "Podor", "Coumba Sarr", recorded_on=date(2025, 3, 1)
)
SIRA = LinkRecord("18", "Diop", "Sira", "2", None, 31, "SEN", "Matam", recorded_on=date(2025, 3, 2))


def take(session: Session, *records: LinkRecord, register: str = "Cahier de Podor") -> Taken:
    session.commit()
    begin_write(session)
    publish_legacy_form(session, None, NOW)
    taken = take_in(session, records, register, Sender(), NOW)
    session.commit()
    process_pending()
    session.expire_all()
    return taken


@pytest.mark.both_databases
def test_a_record_of_a_register_is_a_record_of_the_registry(session: Session) -> None:
    assert take(session, AWA, SIRA) == Taken(2, 0)
    one, other = session.scalars(select(PersonRecord).order_by(PersonRecord.given_names))
    assert (one.family_name, one.birth_date, one.mother_name) == ("Ndiaye", date(1994, 5, 17), "Coumba Sarr")
    assert (other.given_names, other.age, other.ended_at.date()) == ("Sira", 31, date(2025, 3, 2))
    assert {row.state for row in session.scalars(select(Submission))} == {"merged"}


def test_where_it_comes_from_is_kept_with_it(session: Session) -> None:
    take(session, replace(AWA, post="Bac de Podor", tablet="T-04"))
    kept = session.scalars(select(Submission)).one().xml.decode()
    assert (
        "<registre>Cahier de Podor</registre><numero_origine>17</numero_origine>"
        "<poste_origine>Bac de Podor</poste_origine><tablette_origine>T-04</tablette_origine>"
    ) in kept


def test_the_same_register_twice_is_taken_in_once(session: Session) -> None:
    take(session, AWA)
    assert [one.given_name for one in find_new(session, [AWA, SIRA], "Cahier de Podor")] == ["Sira"]
    assert take(session, AWA, SIRA) == Taken(1, 1)
    assert len(persons(session)) == 2


def test_another_register_has_numbers_of_its_own(session: Session) -> None:
    take(session, AWA)
    assert take(session, replace(SIRA, record_id="17"), register="Cahier de Matam") == Taken(1, 0)


def test_a_person_of_a_register_is_known_again(session: Session) -> None:
    prepare(session)
    meet(session, "uuid:1", AWA_AGAIN)
    take(session, AWA)
    assert len(persons(session)) == 1
