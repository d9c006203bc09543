"""Records find their person, whoever comes first, and leave no trace where they go."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from sync.db import Base
from sync.link_decisions import Word, decide_same
from sync.link_fold import is_linking_due, link_some, look_again
from sync.linkage.decision import LARGEST
from sync.models import (
    LinkChange,
    LinkIdentity,
    LinkKey,
    LinkMember,
    LinkModelVersion,
    LinkPair,
    LinkProgress,
    LinkQuestion,
    PersonRecord,
)
from sync.registry import registry_digest
from tests.sync.factory import NOW, add_site
from tests.sync.meetings import (
    AWA,
    AWA_AGAIN,
    BINTA,
    MODOU,
    meet,
    persons,
    prepare,
    questions,
    reference,
    reject_meeting,
    shown_reference,
)
from tests.sync.people import AWA as SHE
from tests.sync.people import add_record
from tests.sync.test_registry import forget


@pytest.fixture
def published(session: Session) -> None:
    prepare(session)


@pytest.mark.both_databases
def test_a_record_finds_its_person(session: Session, published: None) -> None:
    meet(session, "uuid:1", AWA, MODOU)
    meet(session, "uuid:2", BINTA)
    meet(session, "uuid:3", AWA_AGAIN)
    assert frozenset({reference("uuid:1"), reference("uuid:3")}) in persons(session)
    assert len(persons(session)) == 3


def test_a_person_shows_the_reference_of_its_first_record(session: Session, published: None) -> None:
    meet(session, "uuid:1", AWA, day=1)
    meet(session, "uuid:2", AWA_AGAIN, day=5)
    assert shown_reference(session, "uuid:1") == shown_reference(session, "uuid:2") == reference("uuid:2")


def test_a_rejected_record_leaves_its_person(session: Session, published: None) -> None:
    meet(session, "uuid:1", AWA, day=5)
    before = registry_digest(session)
    meet(session, "uuid:2", AWA_AGAIN, day=9)
    assert registry_digest(session) != before
    reject_meeting(session, "uuid:2")
    assert registry_digest(session) == before
    assert shown_reference(session, "uuid:1") == reference("uuid:1")


def test_what_left_is_forgotten_by_linkage(session: Session, published: None) -> None:
    def count() -> list[int]:
        tables: list[type[Base]] = [LinkIdentity, LinkKey, LinkMember, LinkPair]
        return [session.scalar(select(func.count()).select_from(one)) or 0 for one in tables]

    meet(session, "uuid:1", AWA)
    before = count()
    meet(session, "uuid:2", AWA_AGAIN)
    assert all(more > less for more, less in zip(count(), before, strict=True))
    reject_meeting(session, "uuid:2")
    assert count() == before


def test_an_edit_may_make_another_person_of_a_record(session: Session, published: None) -> None:
    meet(session, "uuid:1", AWA)
    meet(session, "uuid:2", AWA_AGAIN)
    meet(session, "uuid:3", BINTA, deprecated_id="uuid:2")
    assert len(persons(session)) == 2
    meet(session, "uuid:4", AWA_AGAIN, deprecated_id="uuid:3")
    assert persons(session) == {frozenset({reference("uuid:1"), reference("uuid:2")})}


def test_a_twin_sister_is_another_person(session: Session, published: None) -> None:
    meet(session, "uuid:1", replace(AWA, prenoms="Awa"), replace(AWA, prenoms="Adama"))
    assert len(persons(session)) == 2


def test_moves_are_journalled(session: Session, published: None) -> None:
    meet(session, "uuid:1", AWA, day=1)
    meet(session, "uuid:2", AWA_AGAIN, day=5)
    homes = {one.reference: one.home_id for one in session.scalars(select(PersonRecord))}
    change = session.scalars(select(LinkChange)).one()
    first, second = homes[reference("uuid:1")], homes[reference("uuid:2")]
    assert (change.home_id, change.from_id, change.to_id, change.cause) == (first, first, second, "record")


@pytest.mark.both_databases
def test_a_late_runner_up_turns_a_link_into_a_question(session: Session, published: None) -> None:
    """Aoua's record fits both of Awa's almost as well as they fit each other: nobody knows whose it is by then."""
    meet(session, "uuid:1", AWA, day=9)
    meet(session, "uuid:2", replace(AWA, mere=""), day=8)
    one, other = reference("uuid:1"), reference("uuid:2")
    assert (persons(session), questions(session)) == ({frozenset({one, other})}, [])
    joined = session.scalars(select(LinkChange).order_by(LinkChange.id.desc()).limit(1)).one()
    meet(session, "uuid:3", replace(AWA, prenoms="Aoua"), day=7)
    assert len(persons(session)) == 3
    assert (min(one, other), max(one, other), "margin") in questions(session)
    change = session.scalars(select(LinkChange).where(LinkChange.id > joined.id)).one()
    assert (change.home_id, change.from_id, change.to_id) == (joined.home_id, joined.to_id, joined.home_id)
    assert (change.cause, change.model_id) == ("record", session.scalars(select(LinkProgress.model_id)).one())
    reject_meeting(session, "uuid:3")
    assert (persons(session), questions(session)) == ({frozenset({one, other})}, [])


def test_a_component_that_is_too_large_is_left_to_people(session: Session, published: None) -> None:
    """A drill in which everybody writes the same person must make nobody wait, and nobody a person of a hundred."""
    for number in range(4):
        meet(session, f"uuid:{number}", *[AWA] * 40)
        assert (len(persons(session)) == 1) is ((number + 1) * 40 <= LARGEST)
    assert [reason for _, _, reason in questions(session)] == ["size"]
    reject_meeting(session, "uuid:3")
    assert len(persons(session)) == 1
    assert not questions(session)


def test_too_many_are_the_same_in_any_order(session: Session, published: None) -> None:
    digests = set[str]()
    for order in ("1 2 3 4", "4 2 1 3"):
        forget(session)
        for number in order.split():
            meet(session, f"uuid:{number}", *[AWA] * (LARGEST // 2 if number < "3" else 2))
        digests.add(registry_digest(session))
    assert len(digests) == 1
    assert [reason for _, _, reason in questions(session)] == ["size"]


def test_people_link_in_a_component_that_is_too_large(session: Session, published: None) -> None:
    meet(session, "uuid:0", *[AWA] * (LARGEST + 1))
    decide_same(session, reference("uuid:0", 1), reference("uuid:0", 2), Word(None, NOW))
    meet(session, "uuid:1", AWA)
    assert sorted(map(len, persons(session)))[-2:] == [1, 2]


def test_weights_follow_the_size_of_the_registry(session: Session, published: None) -> None:
    """What is certain among a thousand is a question among a million; and certain again when they are gone."""
    meet(session, "uuid:1", AWA)
    meet(session, "uuid:2", AWA_AGAIN)
    linked = registry_digest(session)
    for name, records, alike in (("uuid:3", 2**60, False), ("uuid:4", 2, True)):
        progress = session.scalars(select(LinkProgress)).one()
        progress.records = records
        session.commit()
        meet(session, name, BINTA)
        reject_meeting(session, name)
        assert (len(persons(session)) == 1) is alike
    assert registry_digest(session) == linked


@pytest.mark.both_databases
def test_what_a_model_did_not_read_of_a_record_before_is_read_once_more(session: Session) -> None:
    """As after an update that understands more of it: the records whose reading changes are decided anew."""
    child, adult, _other = (
        add_record(session, **SHE, **said) for said in ({"age_band": "0_4"}, {"age_band": "18_24"}, {"age": 40})
    )
    expected, bits = registry_digest(session), read_bits(session)
    set_bands(session, {child.id: None})
    assert read_bits(session)[child.home_id, adult.home_id] > bits[child.home_id, adult.home_id] + 5
    set_bands(session, {child.id: "0_4"})
    assert (registry_digest(session), read_bits(session)) == (expected, bits)
    assert session.scalar(select(func.count(LinkIdentity.id))) == 3


def set_bands(session: Session, bands: dict[int, str | None]) -> None:
    """Behind the back of linkage, which then reads all records once more."""
    for record, band in bands.items():
        session.execute(update(PersonRecord).where(PersonRecord.id == record).values(age_band=band))
    session.execute(update(LinkModelVersion).values(filled_to=0))
    while is_linking_due(session):
        session.expire_all()
        link_some(session, NOW)


def read_bits(session: Session) -> dict[tuple[int, int], float]:
    """What pairs of records weigh, by their homes."""
    homes = {identity: home for home, identity in session.execute(select(LinkMember.home_id, LinkMember.identity_id))}
    pairs = session.execute(select(LinkPair.one_id, LinkPair.other_id, LinkPair.bits))
    return {(homes[one], homes[other]): bits for one, other, bits in pairs}


@pytest.mark.both_databases
def test_looking_again_at_one_record_finds_the_pair_that_is_there(session: Session) -> None:
    records = [add_record(session, **SHE, age=age) for age in (30, 31)]
    pairs = select(func.count()).select_from(LinkPair)
    assert session.scalar(pairs) == 2
    for one in records:
        look_again(session, [one.home_id], NOW)
    assert session.scalar(pairs) == 2


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("given_names", "hours", "reasons"),
    [("Awa Fatou", 1, ["visit"]), ("Awa Fatou", 30, []), ("Awa", 1, [])],
    ids=["sisters", "on another day", "the same words"],
)
def test_whom_one_site_writes_down_on_one_day_in_other_words_is_asked_about(
    session: Session, given_names: str, hours: int, reasons: list[str]
) -> None:
    site = add_site(session).id
    for number, names in enumerate(("Awa", given_names)):
        told = SHE | {"given_names": names, "birth_date": date(2019, 4, 2)}
        add_record(session, **told, site_id=site, hours=number * hours)
    assert session.scalars(select(LinkQuestion.reason)).all() == reasons
    assert len(persons(session)) == (2 if reasons else 1)
