"""What a post served and what people there decided, as the centre takes it in: of what is the relay's own, no more."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.entity_decisions import DecisionFact
from sync.erasure_facts import ErasedFact
from sync.journal import ActFact, IssuedFact, JournalFact, ReleaseFact, parse_lines, receive_journal
from sync.link_decisions import LinkFact
from sync.link_model_facts import ModelFact
from sync.models import Entity, EntityDecision, LinkDecision, Relay
from sync.numbering import slot_of
from sync.quarantine import VerdictFact
from sync.relaying.belonging import (
    check_own,
    check_own_entity,
    check_own_persons,
    check_own_release,
    find_record,
    name_author,
)
from sync.relaying.decisions import note_heard
from sync.relaying.lines import FactLine, RelayRefused


def take_facts(session: Session, relay: Relay, lines: Sequence[FactLine], now: datetime) -> None:
    """Take facts of the journal in, twice is once; raise RelayRefused for any that is of something not the relay's."""
    facts = list(parse_lines(one.fact for one in lines))
    if any(isinstance(one, IssuedFact) and slot_of(one.number) != relay.number for one in facts):
        raise RelayRefused("relay_number", number=relay.number)
    for one in facts:
        _check(session, relay, one)
    receive_journal(session, [_name_people(relay, one) for one in facts], now)
    note_heard(session, relay, facts)


def _name_people(relay: Relay, fact: JournalFact) -> JournalFact:
    """The fact as people of the post did it, whoever here has the same name."""
    if not isinstance(fact, LinkFact):
        return fact
    actor, confirmed_by, undone_by = (
        name_author(relay, name) if name else None for name in (fact.actor, fact.confirmed_by, fact.undone_by)
    )
    return replace(fact, actor=actor, confirmed_by=confirmed_by, undone_by=undone_by)


def _check(session: Session, relay: Relay, fact: JournalFact) -> None:
    if isinstance(fact, ErasedFact | ModelFact):
        # An erasure comes with its record (words.py): one that waits here could be meant for another post's. And by
        # which model the centre links is no post's word.
        raise RelayRefused("relay_foreign")
    if isinstance(fact, VerdictFact):
        record = find_record(session, fact.xml_sha256, fact.form_id, fact.instance_id)
        if record is not None:
            check_own(session, relay, record)
    elif isinstance(fact, LinkFact):
        _check_link(session, relay, fact)
    elif isinstance(fact, ReleaseFact):
        check_own_release(session, relay, fact.list_name, fact.entity, fact.record)
    else:
        _check_entity(session, relay, fact)


def _check_link(session: Session, relay: Relay, fact: LinkFact) -> None:
    # Under the name of a decision that is here it could undo that one.
    known = session.scalar(select(LinkDecision).where(LinkDecision.uuid == fact.uuid))
    named = {*known.left, *known.right} if known is not None else set()
    check_own_persons(session, relay, {*fact.left, *fact.right, *named})


def _check_entity(session: Session, relay: Relay, fact: IssuedFact | ActFact | DecisionFact) -> None:
    check_own_entity(session, relay, fact.list_name, fact.entity)
    if isinstance(fact, DecisionFact):
        known = session.scalar(select(Entity).join(EntityDecision).where(EntityDecision.uuid == fact.uuid))
        if known is not None:
            check_own_entity(session, relay, known.list_name, known.uuid)
