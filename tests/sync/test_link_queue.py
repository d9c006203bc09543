"""In which order people are asked whether two records are of one person, and who is asked at all."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.extensions import db
from sync import link_queue
from sync.link_decisions import Word, decide_same, decide_unsure
from sync.link_inquiries import answer_inquiry, ask_site
from sync.link_queue import (
    Queued,
    count_questions,
    find_homes,
    list_latest,
    list_queue,
    list_unconfirmed,
    sort_queue,
)
from sync.models import Actor, LinkDecision, LinkQuestion, PersonRecord
from sync.policy import Viewer
from tests.plans import watched_plans, watched_scans
from tests.sync.factory import NOW, add_site
from tests.sync.people import AWA, add_record
from tests.sync.test_entity_rows import counted

STEWARD = Viewer(1, "data_steward")


@pytest.fixture
def pair(session: Session) -> tuple[PersonRecord, PersonRecord]:
    session.add(Actor(kind="user", display_name="Awa", created_at=NOW))
    session.flush()
    site = add_site(session)
    one = add_record(session, **AWA, birth_date=date(1991, 4, 12), site_id=site.id, hours=2000)
    return one, add_record(session, **AWA | {"mother_name": ""}, age=35, site_id=site.id, hours=2001)


def queued(number: int, *signs: str, bits: float = 10.0, records: int = 1, reason: str = "weight") -> Queued:
    return Queued(number, number + 100, bits, reason, NOW, records, signs)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (queued(2, "child"), queued(1, "fresh")),
        (queued(2, "answered"), queued(1, "child", "fresh")),
        (queued(2, "fresh"), queued(1, bits=40.0)),
        (queued(2, bits=3.0), queued(1, bits=-2.0)),
        (queued(2, records=3), queued(1, records=1)),
        (queued(2, bits=-2.0), queued(1, "child", "asked")),
        (queued(2), queued(1, "unsure", bits=40.0)),
        (queued(2, "unsure"), queued(1, "child", "unconfirmed")),
        (queued(2, "fresh"), queued(1, bits=-8.0, reason="drawn")),
        (queued(2, bits=-8.0, reason="drawn"), queued(1, bits=40.0)),
    ],
    ids=[
        "child",
        "site has answered",
        "still at hand",
        "likelier",
        "joins more",
        "site is asked",
        "nobody could tell",
        "decided by one of two",
        "urgent before drawn",
        "drawn before the many",
    ],
)
def test_order_of_the_queue(earlier: Queued, later: Queued) -> None:
    assert sort_queue([later, earlier]) == sort_queue([earlier, later]) == [earlier, later]


def test_open_question_is_queued_with_what_is_known_of_it(
    session: Session, pair: tuple[PersonRecord, PersonRecord]
) -> None:
    (asked,) = list_queue(session, STEWARD, NOW)
    assert ({asked.one_id, asked.other_id}, asked.signs) == ({one.home_id for one in pair}, ())
    assert count_questions(session, STEWARD) == 1


@pytest.mark.both_databases
def test_what_was_done_about_a_pair_is_a_sign(session: Session, pair: tuple[PersonRecord, PersonRecord]) -> None:
    one, other = pair
    decide_unsure(session, one.reference, other.reference, Word(1, NOW))
    assert list_queue(session, STEWARD, NOW)[0].signs == ("unsure",)
    inquiry = ask_site(session, one, other, ["birth_date"], "", 1, NOW)
    assert list_queue(session, STEWARD, NOW)[0].signs == ("asked",)
    answer_inquiry(session, inquiry, "right", "", 1, NOW)
    assert list_queue(session, STEWARD, NOW)[0].signs == ("answered",)
    decide_same(session, one.reference, other.reference, Word(1, NOW, "vu au poste", needs_second=True))
    assert list_queue(session, STEWARD, NOW)[0].signs == ("unconfirmed",)


@pytest.mark.parametrize("where", ["own", "other"])
def test_who_works_at_a_site_is_asked_about_its_records_only(
    session: Session, pair: tuple[PersonRecord, PersonRecord], where: str
) -> None:
    site_id = pair[0].site_id if where == "own" else add_site(session, "DIA").id
    viewer = Viewer(1, "protection_officer", site_id)
    decide_same(session, pair[0].reference, pair[1].reference, Word(1, NOW, "vu au poste", needs_second=True))
    expected = 1 if where == "own" else 0
    assert len(list_queue(session, viewer, NOW)) == count_questions(session, viewer) == expected
    assert len(list_latest(session, viewer)) == len(list_unconfirmed(session, viewer)) == expected


def test_what_waits_for_a_second_person_is_found_without_reading_all_decisions(session: Session) -> None:
    with watched_plans(db.engine, "link_decisions") as steps:
        list_unconfirmed(session, STEWARD)
    assert any("ix_link_decisions_waiting" in detail for _statement, detail in steps)


def test_decision_is_found_by_its_two_records(session: Session, pair: tuple[PersonRecord, PersonRecord]) -> None:
    one, other = pair
    made = decide_same(session, one.reference, other.reference, Word(1, NOW))
    alone, elsewhere = LinkDecision(left=[one.reference], right=[]), LinkDecision(left=[one.reference], right=["?"])
    homes = find_homes(session, [alone, made, elsewhere])
    assert (homes[0], set(homes[1] or ()), homes[2]) == (None, {one.home_id, other.home_id}, None)
    assert list_queue(session, STEWARD, NOW) == []


@pytest.mark.both_databases
def test_homes_of_many_decisions_are_asked_for_at_once(
    session: Session, pair: tuple[PersonRecord, PersonRecord]
) -> None:
    made = [decide_unsure(session, pair[0].reference, pair[1].reference, Word(1, NOW)) for _ in range(4)]
    with counted("persons") as statements:
        assert None not in find_homes(session, made)
    assert len(statements) == 1


def test_signs_are_looked_for_at_the_ends_of_what_is_queued(
    session: Session, pair: tuple[PersonRecord, PersonRecord]
) -> None:
    """What was asked and decided in years is many times what is open."""
    with (
        watched_scans(db.engine, "link_inquiries") as inquiries,
        watched_scans(db.engine, "link_verdicts") as verdicts,
        watched_scans(db.engine, "link_decisions") as decisions,
    ):
        list_queue(session, STEWARD, NOW)
    assert (inquiries, verdicts, decisions) == ([], [], [])


@pytest.mark.both_databases
def test_two_persons_are_one_question_put_by_their_heaviest_pair(session: Session) -> None:
    born = {"birth_date": date(1991, 4, 12)}
    add_record(session, **AWA, **born)
    add_record(session, **AWA | {"phone": "771234567"}, **born)
    add_record(session, given_names="Awa", family_name="Ndiay", sex="2", age=35, phone="771234567")
    asked = session.scalars(select(LinkQuestion).order_by(LinkQuestion.bits.desc())).all()
    assert (len(asked), asked[0].bits > asked[1].bits) == (2, True)
    (shown,) = list_queue(session, STEWARD, NOW)
    assert (shown.one_id, shown.other_id, shown.bits) == (asked[0].one_id, asked[0].other_id, asked[0].bits)
    assert count_questions(session, STEWARD) == 1


@pytest.mark.both_databases
def test_what_is_urgent_is_listed_however_many_weigh_more(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of three has a rival who weighs little; beside them one heavy question takes the only place."""
    monkeypatch.setattr(link_queue, "_MOST", 1)
    session.add(Actor(kind="user", display_name="Awa", created_at=NOW))
    site_id = add_site(session).id
    heavy = [add_record(session, **AWA, birth_date=date(1991, 4, 12), hours=2000)]
    heavy.append(add_record(session, **AWA | {"mother_name": ""}, age=35, hours=2001))
    light = {"given_names": "Modou", "family_name": "Faye", "sex": "1"}
    asked = [add_record(session, **light, age=40, site_id=site_id, hours=hours) for hours in (3000, 3001)]
    assert list_pairs(session) == [homes_of(heavy)]
    inquiry = ask_site(session, asked[0], asked[1], ["age"], "", 1, NOW)
    answer_inquiry(session, inquiry, "right", "", 1, NOW)
    assert list_pairs(session) == [homes_of(asked)]
    fresh = [add_record(session, given_names="Binta", family_name="Camara", sex="2", age=50, hours=1) for _ in range(2)]
    assert list_pairs(session) == [homes_of(asked), homes_of(fresh)]


def homes_of(records: list[PersonRecord]) -> set[int]:
    return {one.home_id for one in records}


def list_pairs(session: Session) -> list[set[int]]:
    return [{one.one_id, one.other_id} for one in list_queue(session, STEWARD, NOW)]


def test_a_child_and_who_was_met_lately_are_signs(session: Session) -> None:
    child = AWA | {"age": 9}
    for hours in (71, 73):
        add_record(session, **child | {"mother_name": "", "given_names": f"Awa {hours}"}, hours=hours)
    assert [one.signs for one in list_queue(session, STEWARD, NOW)] == [("child", "fresh")]
    assert [one.signs for one in list_queue(session, STEWARD, NOW + timedelta(hours=2))] == [("child",)]


@pytest.mark.parametrize(
    ("order", "index"),
    [("bits DESC", "ix_link_questions_urgency"), ("met_at DESC", "ix_link_questions_met_at")],
    ids=["the likeliest", "met lately"],
)
def test_the_queue_is_read_in_the_order_of_an_index(
    session: Session, pair: tuple[PersonRecord, PersonRecord], order: str, index: str
) -> None:
    """Tens of thousands may be open, and each answer leads to the next."""
    with watched_plans(db.engine, "link_questions") as steps:
        list_queue(session, STEWARD, NOW)
    read = {detail for statement, detail in steps if order in statement and "SCAN" in detail}
    assert read == {f"SCAN link_questions USING INDEX {index}"}


@pytest.mark.both_databases
def test_postgresql_plans_the_queue_for_who_reads_it(session: Session) -> None:
    """One plan for all viewers walks through every question for who may read a few."""
    with counted("plan_cache_mode") as statements:
        list_queue(session, STEWARD, NOW)
        count_questions(session, STEWARD)
    assert len(statements) == (2 if db.engine.dialect.name == "postgresql" else 0)


def test_questions_are_counted_without_reading_any_record(
    session: Session, pair: tuple[PersonRecord, PersonRecord]
) -> None:
    with watched_plans(db.engine, "link_questions") as steps:
        count_questions(session, STEWARD)
    read = [detail for _statement, detail in steps if "person_records" in detail]
    assert len(read) == 2
    assert all("USING COVERING INDEX ix_person_records_home_id" in detail for detail in read)
