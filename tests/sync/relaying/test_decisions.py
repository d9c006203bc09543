"""Which decisions of the centre a post is told, and what it takes. The way between is told in tests/journeys."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.journal import ActFact, JournalFact, parse_lines, write_line
from sync.link_decisions import (
    LinkFact,
    Word,
    decide_same,
    describe_link_decision,
    set_golden_value,
    undo_link_decision,
)
from sync.models import Actor, Decision, Relay, Submission
from sync.policy import Viewer
from sync.quarantine import VerdictFact, reject
from sync.relaying.down import list_down, take_down
from sync.relaying.enrolment import enrol_relay
from sync.relaying.lines import FactLine, RelayLine, of_kind, receipt_for
from sync.relaying.receipts import note_receipts
from sync.relaying.up import list_up, take_up
from tests.sync.factory import NOW, add_site, add_submission
from tests.sync.people import AWA, add_record
from tests.sync.relaying.test_words import add_own, record

LATER = NOW + timedelta(hours=1)
STEWARD = Viewer(1, "data_steward")
WORD = Word(None, NOW, "vu ensemble")


@pytest.fixture
def relay(relay: Relay) -> Relay:
    """One whose program takes decisions in."""
    relay.told = {"heeds": True}
    return relay


def list_told(session: Session, relay: Relay) -> list[JournalFact]:
    """The decisions that go down to it."""
    return list(parse_lines(one.fact for one in of_kind(list(list_down(session, relay, NOW)), FactLine)))


def add_told(session: Session, relay: Relay, instance_id: str) -> Submission:
    """A record that the relay told of, and that has come."""
    row = add_own(session, relay, instance_id)
    take_up(session, relay, [record(row)], NOW)
    return row


def verdict(of: Submission, kind: str = "reject") -> VerdictFact:
    return VerdictFact("passage", of.instance_id, of.xml_sha256, kind, "essai", NOW)


@pytest.mark.both_databases
def test_a_verdict_goes_to_the_relay_that_told_of_the_record_until_it_took_it(session: Session, relay: Relay) -> None:
    told, direct = add_told(session, relay, "uuid:1"), add_own(session, relay, "uuid:2")
    actor = Actor(kind="user", display_name="Podor", created_at=NOW)
    session.add(actor)
    session.flush()
    other = enrol_relay(session, add_site(session, "POD"), actor.id, NOW)
    other.told = {"heeds": True}
    for row in (told, direct):
        reject(session, row, None, "essai", NOW)
    assert list_told(session, relay) == [verdict(told)]
    assert list_told(session, other) == []
    note_receipts(session, relay.site_id, [receipt_for(FactLine(write_line(verdict(told))))])
    assert list_told(session, relay) == []


def test_a_relay_of_an_older_version_is_told_none(session: Session, relay: Relay) -> None:
    reject(session, add_told(session, relay, "uuid:1"), None, "essai", NOW)
    take_up(session, relay, [RelayLine(LATER, relay.number, 0, None, erases=True)], LATER)
    assert list_told(session, relay) == []
    take_up(session, relay, [RelayLine(LATER, relay.number, 0, None, erases=True, heeds=True)], LATER)
    assert len(list_told(session, relay)) == 1


def test_neither_side_is_told_what_it_told(session: Session, relay: Relay) -> None:
    row = add_told(session, relay, "uuid:1")
    line = FactLine(write_line(verdict(row)))
    take_up(session, relay, [line], NOW)
    assert row.decision == "reject"
    assert list_told(session, relay) == []
    down = FactLine(write_line(replace(verdict(row, "accept"), decided_at=LATER)))
    for _ in range(2):
        assert take_down(session, [down], {}, LATER) == ([receipt_for(down)], [])
    assert row.decision == "accept"
    assert of_kind(list(list_up(session)), FactLine) == [line]
    assert len(session.scalars(select(Decision)).all()) == 2


def test_the_centre_decides_about_records_and_persons_alone(session: Session) -> None:
    row = add_submission(session, "uuid:1")
    act = ActFact("dossiers", "x", "a" * 36, "delete", None, None, {}, NOW)
    lines = [FactLine(write_line(one)) for one in (verdict(row), act)] + [FactLine("{}")]
    assert take_down(session, lines, {}, NOW) == ([receipt_for(lines[0])], ["relay_decision", "journal_line"])
    assert row.decision == "reject"


@pytest.mark.both_databases
def test_a_link_goes_down_where_all_records_that_it_names_are_the_relays(session: Session, relay: Relay) -> None:
    one, other = (add_told_person(session, relay, number) for number in (1, 2))
    foreign = add_record(session, given_names="Modou", site_id=add_site(session, "DKR").id)
    decide_same(session, one, foreign.reference, WORD)
    assert list_told(session, relay) == []
    decision = decide_same(session, one, other, WORD)
    told = list_told(session, relay)
    assert [one.uuid for one in told if isinstance(one, LinkFact)] == [decision.uuid]


def add_told_person(session: Session, relay: Relay, number: int) -> str:
    row = add_told(session, relay, f"uuid:told-{number}")
    return add_record(session, given_names=f"Fatou {number}", submission=row, site_id=relay.site_id).reference


@pytest.mark.both_databases
def test_a_value_goes_down_where_all_records_of_the_person_are_the_relays(session: Session, relay: Relay) -> None:
    one = add_told_person(session, relay, 1)
    shared = set_golden_value(session, STEWARD, one, "phone", "+221 77 555 01 42", WORD)
    assert [fact.value for fact in list_told(session, relay) if isinstance(fact, LinkFact)] == ["+221 77 555 01 42"]
    foreign = add_record(session, **AWA, site_id=add_site(session, "DKR").id)
    decide_same(session, one, foreign.reference, WORD)
    assert list_told(session, relay) == []
    # It may have the value from before: that it was taken back says nothing of what it was.
    undo_link_decision(session, shared, None, LATER)
    [fact] = list_told(session, relay)
    assert isinstance(fact, LinkFact)
    assert (fact.uuid, fact.value, fact.undone_at) == (shared.uuid, "", LATER)


def test_who_at_the_centre_decided_is_told_to_no_post(session: Session, relay: Relay) -> None:
    """Somebody at the post may have the same name, and decided nothing."""
    one, other = (add_told_person(session, relay, number) for number in (1, 2))
    awa = Actor(kind="user", display_name="Awa", created_at=NOW)
    session.add(awa)
    session.flush()
    decision = decide_same(session, one, other, replace(WORD, actor_id=awa.id))
    [fact] = list_told(session, relay)
    assert fact == replace(describe_link_decision(decision), actor=None, weights=())
    # What the post decided itself it is not told, whatever name its people have here.
    own = replace(fact, uuid="o" * 36, actor="Awa")
    take_up(session, relay, [FactLine(write_line(own))], NOW)
    assert list_told(session, relay) == [fact]


def test_a_value_that_was_taken_back_stands_at_the_post_no_more(session: Session) -> None:
    reference = add_record(session, **AWA).reference
    here = set_golden_value(session, STEWARD, reference, "phone", "+221 77 555 01 42", WORD)
    fact = LinkFact(here.uuid, "value", [reference], [], "phone", "", "vu ensemble", None, NOW, False, None, LATER)
    take_down(session, [FactLine(write_line(fact))], {}, LATER)
    session.refresh(here)
    assert here.undone_at == LATER
