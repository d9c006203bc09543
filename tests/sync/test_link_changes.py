"""What became of links is told: where records went, why, what people are asked instead, and to whom of the readers."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.link_changes import find_readable, select_changes, select_changes_of
from sync.link_decisions import Word, decide_apart
from sync.models import LinkQuestion, PersonRecord
from sync.policy import Viewer
from tests.sync.factory import NOW, add_site
from tests.sync.people import AWA, add_record

STEWARD = Viewer(1, "data_steward")
SHE: dict[str, Any] = AWA | {"birth_date": date(1991, 4, 12)}


def tell(session: Session, viewer: Viewer = STEWARD) -> list[tuple[int, int, int, str]]:
    """Who went from where to where and why, the newest first, as this viewer may read it."""
    found = session.scalars(select_changes(viewer))
    return [(one.home_id, one.from_id, one.to_id, one.cause) for one in found]


def add_passport(session: Session, number: str) -> PersonRecord:
    return add_record(session, **SHE, document_type="P", document_number=number)


@pytest.mark.both_databases
def test_a_late_runner_up_that_makes_a_question_of_a_link_is_told(session: Session) -> None:
    first, second = add_passport(session, "A1234567"), add_record(session, **SHE)
    third = add_passport(session, "B7654321")
    a, b, c = (one.home_id for one in (first, second, third))
    assert tell(session) == [(a, b, a, "record"), (b, b, c, "record"), (a, a, b, "record")]
    (question,) = session.scalars(select(LinkQuestion))
    asked = [(one.asked_one_id, one.asked_other_id) for one in session.scalars(select_changes(STEWARD))]
    assert asked[0] == (question.one_id, question.other_id)
    assert ({*asked[0]}, asked[-1]) == ({a, c}, (None, None))


def test_what_somebody_parts_for_good_is_no_question(session: Session) -> None:
    one, other = add_record(session, **SHE), add_record(session, **SHE)
    decide_apart(session, one.reference, other.reference, Word(None, NOW))
    (parted, _linked) = session.scalars(select_changes(STEWARD))
    assert (parted.cause, parted.asked_one_id, parted.asked_other_id) == ("decision", None, None)


def test_a_person_is_told_of_what_came_and_what_left(session: Session) -> None:
    one, other = add_record(session, **SHE), add_record(session, **SHE)
    add_record(session, **AWA | {"given_names": "Modou", "sex": "1"}, age=70)
    decide_apart(session, one.reference, other.reference, Word(None, NOW))
    told = session.scalars(select_changes(STEWARD)).all()
    for person in (one, other):
        assert session.scalars(select_changes_of(STEWARD, person.home_id, [person.home_id])).all() == told
    assert session.scalars(select_changes_of(STEWARD, 3, [3])).all() == []


@pytest.mark.both_databases
def test_who_works_at_a_site_hears_of_no_record_elsewhere(session: Session) -> None:
    here, there = add_site(session).id, add_site(session, "DIA").id
    for site_id in (here, here, there):
        add_record(session, **SHE, site_id=site_id)
    staff = Viewer(1, "centre_staff", here)
    assert tell(session, staff) == [(1, 1, 2, "record")]
    assert len(tell(session)) == 3
    assert tell(session, Viewer(1, "form_designer")) == tell(session, Viewer(1, "centre_staff", None)) == []
    assert find_readable(session, staff, session.scalars(select_changes(STEWARD))) == {1, 2}


def test_a_record_that_is_gone_is_still_told_to_who_reads_all(session: Session) -> None:
    site_id = add_site(session).id
    gone = [add_record(session, **SHE, site_id=site_id) for _ in range(2)][1]
    session.delete(session.get_one(PersonRecord, gone.id))
    session.flush()
    assert (len(tell(session)), tell(session, Viewer(1, "centre_staff", site_id))) == (1, [])
    assert find_readable(session, STEWARD, session.scalars(select_changes(STEWARD))) == {1}
