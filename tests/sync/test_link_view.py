"""What a reviewer sees of two records, and what of them nobody else's site should show."""

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.link_decisions import Word, decide_apart, decide_same, split_person
from sync.link_view import PairView, find_holding, find_record, view_pair
from sync.models import PersonRecord
from sync.policy import Viewer
from tests.sync.factory import NOW, add_site, add_submission
from tests.sync.people import AWA, add_record

STEWARD = Viewer(1, "data_steward")
MOUSSA = {"given_names": "Moussa", "family_name": "Traore", "sex": "1", "document_type": "P", "nationality": "MLI"}


def look(session: Session, one: PersonRecord, other: PersonRecord, viewer: Viewer = STEWARD) -> PairView:
    return view_pair(session, viewer, one, other)


def test_waterfall_ends_at_the_weight_of_the_pair(session: Session) -> None:
    one = add_record(session, **AWA, birth_date=date(1991, 4, 12))
    other = add_record(session, **AWA | {"mother_name": ""}, age=35)
    pair = look(session, one, other)
    assert sum(step.bits for step in pair.steps) == pytest.approx(pair.bits)
    assert (pair.linked, pair.question is not None, pair.shown.model_version) == (False, True, pair.model_version)
    assert 0.99 < pair.chance < 1
    assert pair.bits_of_persons is None


@pytest.mark.both_databases
def test_runner_up_is_shown_and_no_record_of_the_two_persons(session: Session) -> None:
    one = add_record(session, **AWA, birth_date=date(1991, 4, 12))
    same = add_record(session, **AWA | {"phone": "771234567"}, birth_date=date(1991, 4, 12))
    sister = add_record(session, **AWA | {"given_names": "Adama"}, birth_date=date(1991, 4, 12))
    pair = look(session, one, same)
    assert (pair.linked, [rival.record.id for rival in pair.rivals]) == (True, [sister.id, sister.id])
    assert pair.rivals[0].bits < pair.bits


@pytest.mark.parametrize(
    ("number", "given", "second"),
    [("A1234567", True, False), ("A1234567", False, True), ("B7654321", True, True), ("B7654321", False, False)],
    ids=["same number, same", "same number, apart", "other number, same", "other number, apart"],
)
def test_an_answer_against_a_document_takes_two_people(
    session: Session, number: str, given: bool, second: bool
) -> None:
    one = add_record(session, **MOUSSA, document_number="A1234567", age=20)
    other = add_record(session, **MOUSSA | {"given_names": "Mody"}, document_number=number, age=44)
    assert look(session, one, other).needs_second(same=given) is second


def test_a_document_that_the_reader_may_not_see_counts_all_the_same(session: Session) -> None:
    own, elsewhere = add_site(session).id, add_site(session, "DIA").id
    mine = add_record(session, **MOUSSA, age=20, site_id=own)
    far = add_record(session, **MOUSSA, document_number="A1234567", age=20, site_id=elsewhere)
    decide_same(session, mine.reference, far.reference, Word(None, NOW))
    other = add_record(session, **MOUSSA | {"given_names": "Mody"}, document_number="B7654321", age=44, site_id=own)
    pair = look(session, mine, other, Viewer(1, "protection_officer", own))
    assert [mate.id for mate in pair.sides[0].mates] == [mine.id]
    assert pair.needs_second(same=True)


def test_who_was_met_together_with_a_record_is_around_it(session: Session) -> None:
    together = add_submission(session, "uuid:together")
    one = add_record(session, **AWA, submission=together)
    mother = add_record(session, given_names="Coumba", family_name="Sarr", submission=together)
    other = add_record(session, **AWA)
    sides = look(session, one, other).sides
    assert [[mate.id for mate in side.around] for side in sides] == [[mother.id], []]


def test_what_was_decided_about_the_two_is_told(session: Session) -> None:
    one, other, third = (add_record(session, **AWA) for _ in range(3))
    made = decide_apart(session, one.reference, other.reference, Word(None, NOW))
    decide_apart(session, one.reference, third.reference, Word(None, NOW))
    assert list(look(session, one, other).decisions) == [made]


def test_a_split_says_nothing_of_two_records_that_it_left_together(session: Session) -> None:
    one, other, third = (add_record(session, **AWA, birth_date=date(1991, 4, 12)) for _ in range(3))
    made = split_person(session, STEWARD, [one.reference, other.reference], [third.reference], Word(None, NOW))
    assert list(look(session, one, other).decisions) == []
    assert list(look(session, one, third).decisions) == [made]


def test_another_site_s_records_are_not_there(session: Session) -> None:
    own, elsewhere = add_site(session).id, add_site(session, "DIA").id
    viewer = Viewer(1, "protection_officer", own)
    mine = add_record(session, **AWA, birth_date=date(1991, 4, 12), site_id=own)
    twin = add_record(session, **AWA | {"given_names": "Adama"}, birth_date=date(1991, 4, 12), site_id=own)
    far = add_record(session, **AWA, birth_date=date(1991, 4, 12), site_id=elsewhere)
    assert find_record(session, viewer, far.home_id) is None
    pair = look(session, find_record(session, viewer, mine.home_id) or mine, twin, viewer)
    seen = {record.id for side in pair.sides for record in (*side.mates, *side.around)}
    assert far.id not in seen | {rival.record.id for rival in pair.rivals}
    joined = decide_same(session, mine.reference, twin.reference, Word(None, NOW))
    decide_same(session, mine.reference, far.reference, Word(None, NOW))
    word = Word(None, NOW, "vu à l'autre poste")
    split_person(session, STEWARD, [mine.reference], [far.reference, twin.reference], word)
    assert list(look(session, mine, twin, viewer).decisions) == [joined]


def test_before_any_record_was_read_there_is_no_weight(session: Session) -> None:
    record = PersonRecord(home_id=1, person_id=1, submission_id=1, reference="x")
    other = PersonRecord(home_id=2, person_id=2, submission_id=2, reference="y")
    assert look(session, record, other).bits == 0.0


def test_where_other_records_count_as_well_their_weight_is_told_beside(session: Session) -> None:
    joao = MOUSSA | {"given_names": "João", "document_number": "G8119739"}
    old = add_record(session, **joao, age_band="60_plus")
    add_record(session, **joao, age_band="25_59")
    young = add_record(session, **joao, age=40, age_band="25_59")
    pair = look(session, old, young)
    assert pair.question is not None
    assert pair.bits_of_persons == pair.question.bits != pytest.approx(pair.bits)


@pytest.mark.both_databases
def test_what_holds_a_record_is_somebody_s_word_or_its_heaviest_pair(session: Session) -> None:
    born = {"birth_date": date(1991, 4, 12)}
    one, like_one = (add_record(session, **AWA, **born, phone="771234567") for _ in range(2))
    other, far = (
        add_record(session, **AWA, **born),
        add_record(session, given_names="Modou", family_name="Faye", age=60),
    )
    decide_same(session, far.reference, other.reference, Word(None, NOW))
    records = session.scalars(select(PersonRecord).where(PersonRecord.person_id == one.person_id)).all()
    held = {home: rival.home_id for home, rival in find_holding(session, records).items()}
    assert (held[one.home_id], held[like_one.home_id]) == (like_one.home_id, one.home_id)
    assert (held[far.home_id], held[other.home_id]) == (other.home_id, far.home_id)
    assert find_holding(session, [one]) == {}
