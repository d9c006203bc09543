"""What people at the centre decided about a relay's records, on its way down to it.

What was decided at a post goes up with its journal (facts.py). Neither side is told what it told itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, Select, exists, or_, select
from sqlalchemy.orm import Session, aliased

from sync.journal import JournalFact, parse_lines, receive_journal, write_line
from sync.link_decisions import LinkFact, describe_link_decision
from sync.models import LinkDecision, LinkVerdict, PersonRecord, Relay, RelayedRecord, Submission
from sync.quarantine import VerdictFact, select_verdicts
from sync.relaying.lines import FactLine, RelayRefused, receipt_for
from sync.relaying.receipts import CENTRE, note_receipts


def list_decisions(session: Session, relay: Relay) -> Iterator[FactLine]:
    """Every word about a record of this relay, and about persons where all records that it names are the relay's."""
    told = select_verdicts().join(RelayedRecord, RelayedRecord.submission_id == Submission.id)
    for row in session.execute(told.where(RelayedRecord.relay_id == relay.site_id)):
        yield _tell(VerdictFact(**row._mapping))
    for decision in session.scalars(_select_links(relay)):
        yield _tell(describe_link_decision(decision))


def _select_links(relay: Relay) -> Select[LinkDecision]:
    """Decisions about records that are all the relay's. A value is told where all records of its person are.

    Else the relay would learn what was said elsewhere; but it may have heard the value when they were, so that it is
    also told that one was taken back.
    """
    one, other = aliased(PersonRecord), aliased(PersonRecord)
    named = LinkVerdict.decision_id == LinkDecision.id
    foreign = exists().where(named, ~exists().where(one.reference == LinkVerdict.record, _is_told(one, relay)))
    shared = exists().where(
        named, one.reference == LinkVerdict.record, other.person_id == one.person_id, ~_is_told(other, relay)
    )
    open_to_it = or_(LinkDecision.kind != "value", LinkDecision.undone_at.is_not(None), ~shared)
    return select(LinkDecision).where(~foreign, open_to_it).order_by(LinkDecision.decided_at, LinkDecision.uuid)


def _is_told(record: type[PersonRecord], relay: Relay) -> ColumnElement[bool]:
    """Whether the relay told of the record that says this of a person, and so has it."""
    mine = RelayedRecord.relay_id == relay.site_id
    return exists().where(RelayedRecord.submission_id == record.submission_id, mine)


def _tell(fact: VerdictFact | LinkFact) -> FactLine:
    """What was decided and why. Who of the centre did is told to no post, where somebody may have the same name."""
    if isinstance(fact, LinkFact):
        value = "" if fact.kind == "value" and fact.undone_at else fact.value
        fact = replace(fact, value=value, actor=None, confirmed_by=None, undone_by=None)
    return FactLine(write_line(fact))


def take_decisions(session: Session, lines: Sequence[FactLine], now: datetime) -> None:
    """Take in what was decided at the centre; twice is once, and of two words about a record the later one holds."""
    if not lines:
        return
    facts = list(parse_lines(one.fact for one in lines))
    if not all(isinstance(one, VerdictFact | LinkFact) for one in facts):
        raise RelayRefused("relay_decision")
    receive_journal(session, facts, now)
    note_receipts(session, CENTRE, [receipt_for(one) for one in lines])


def note_heard(session: Session, relay: Relay, facts: Sequence[JournalFact]) -> None:
    """Note that a relay knows what it told of decisions, so that it is not told of them in turn."""
    heard = [_tell(one) for one in facts if isinstance(one, VerdictFact | LinkFact)]
    note_receipts(session, relay.site_id, [receipt_for(one) for one in heard])
