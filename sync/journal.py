"""The journal: what cannot be read off submissions, told by names so that another server can take it in.

Which numbers were served and what was inside them, what people did, decided and said of records, what was released for
its age, what was erased, and which linkage models there are and were in force. A fresh server takes the journal first,
then the submissions in any order, and issues numbers above it.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.errors import N_, FormsError
from sync.db import Base
from sync.entity_decisions import DecisionFact, describe_decision, get_entity, receive_decision
from sync.entity_fold import fold_whole
from sync.entity_rows import read_slot
from sync.erasure_facts import ErasedFact, read_erased, receive_erased
from sync.link_decisions import LinkFact, describe_link_decision, receive_link_decision
from sync.link_model_facts import ModelFact, read_models, receive_model
from sync.models import (
    Actor,
    AwaitedDecision,
    AwaitedErasure,
    Entity,
    EntityAct,
    EntityDecision,
    EntityRelease,
    IssuedVersion,
    LinkDecision,
    LinkModelVersion,
    LinkVerdict,
)
from sync.numbering import MOST_SERVED, slot_of
from sync.quarantine import VerdictFact, receive_verdict, select_verdicts
from sync.registry import lock_registry
from sync.told import fill_in, read_told, widths_of


class JournalRefused(FormsError):
    """A journal that contradicts what is here."""

    messages = {
        "journal_number_taken": N_("Number %(number)s of the entity %(id)s was served here with another meaning."),
        "journal_line": N_("Line %(line)s is no line of a journal."),
    }


@dataclass(frozen=True, slots=True)
class IssuedFact:
    """What was served under one number, and what came into it and left it since the number before."""

    list_name: str
    entity: str
    number: int
    added: list[str]
    removed: list[str]
    label: str
    properties: dict[str, str]
    issued_at: datetime
    after: int | None = None

    def __post_init__(self) -> None:
        if self.number > MOST_SERVED:
            raise ValueError("a number that nobody serves")


@dataclass(frozen=True, slots=True)
class ActFact:
    """What a person did to an entity without a form."""

    list_name: str
    entity: str
    uuid: str
    action: Literal["create", "update", "delete", "restore"]
    base_version: int | None
    label: str | None
    properties: dict[str, str]
    acted_at: datetime


@dataclass(frozen=True, slots=True)
class ReleaseFact:
    """That a record had waited for too long."""

    list_name: str
    entity: str
    record: str
    released_at: datetime


JournalFact = IssuedFact | ActFact | ReleaseFact | DecisionFact | VerdictFact | LinkFact | ErasedFact | ModelFact
_KINDS: dict[str, type[JournalFact]] = {
    "issued": IssuedFact, "act": ActFact, "release": ReleaseFact, "decision": DecisionFact, "verdict": VerdictFact,
    "link": LinkFact, "erasure": ErasedFact, "model": ModelFact,
}  # fmt: skip
_KEPT_IN: dict[type[JournalFact], type[Base]] = {
    IssuedFact: IssuedVersion, ActFact: EntityAct, ReleaseFact: EntityRelease, DecisionFact: EntityDecision,
    VerdictFact: AwaitedDecision, LinkFact: LinkDecision, ErasedFact: AwaitedErasure,
    ModelFact: LinkModelVersion,
}  # fmt: skip
# What a model learns of names grows with the registry, but far less than it does.
_LONGEST_MODEL = 32_000_000
_ACTOR = widths_of(Actor)["display_name"]
# Names that a table calls otherwise, and the records of a link: each of them gets a row of its own.
_WIDTHS = {
    "list_name": widths_of(Entity)["list_name"],
    "entity": widths_of(Entity)["uuid"],
    "left": widths_of(LinkVerdict)["record"],
    "right": widths_of(LinkVerdict)["record"],
    "actor": _ACTOR,
    "confirmed_by": _ACTOR,
    "undone_by": _ACTOR,
    "added_by": _ACTOR,
    "content": _LONGEST_MODEL,
}
# What a later version of the program added is told where it says something: all else stays the same text.
_ADDED: dict[type[JournalFact], set[str]] = {LinkFact: {"actor", "confirmed_by", "undone_by", "weights"}}
_NAMES = {kind: name for name, kind in _KINDS.items()}
_RECEIVE: dict[type[JournalFact], Callable[[Session, Any, datetime], None]] = {
    VerdictFact: receive_verdict, DecisionFact: receive_decision, LinkFact: receive_link_decision,
    ErasedFact: receive_erased, ModelFact: receive_model,
}  # fmt: skip
_MODELS: tuple[tuple[type[Any], type[Any]], ...] = (
    (IssuedFact, IssuedVersion), (ActFact, EntityAct), (ReleaseFact, EntityRelease)
)  # fmt: skip


def read_journal(session: Session) -> Iterator[JournalFact]:
    """Everything, the served numbers first."""
    yield from read_facts(session)
    yield from read_models(session)
    yield from read_erased(session)


def read_facts(session: Session) -> Iterator[JournalFact]:
    """Everything but models and erasures, the served numbers first."""
    for kind, model in _MODELS:
        columns = [getattr(model, one.name) for one in fields(kind)[2:]]
        query = select(Entity.list_name, Entity.uuid, *columns).join(Entity, Entity.id == model.entity_id)
        for row in session.execute(query.order_by(Entity.list_name, Entity.uuid, *model.__mapper__.primary_key)):
            yield kind(*row)
    for decision in session.scalars(select(EntityDecision).order_by(EntityDecision.uuid)):
        yield describe_decision(decision)
    for row in session.execute(select_verdicts()):
        yield VerdictFact(**row._mapping)
    for word in session.scalars(select(LinkDecision).order_by(LinkDecision.uuid)):
        yield describe_link_decision(word)


def receive_journal(session: Session, facts: Iterable[JournalFact], now: datetime) -> None:
    """Take facts in, in any order but for the served numbers, which come first; twice is once.

    Raises JournalRefused where a number was served here with another meaning.
    """
    lock_registry(session)
    touched = set[int]()
    for fact in facts:
        if isinstance(fact, IssuedFact | ActFact | ReleaseFact):
            touched |= _receive(session, fact)
        else:
            _RECEIVE[type(fact)](session, fact, now)
    session.flush()
    fold_whole(session, touched, now)
    session.expire_all()


def write_line(fact: JournalFact) -> str:
    """One fact as a line of text."""
    added = _ADDED.get(type(fact), set())
    told = {name: value for name, value in asdict(fact).items() if value or name not in added}
    line = {"fact": _NAMES[type(fact)], **told}
    return json.dumps(line, ensure_ascii=False, default=lambda moment: moment.isoformat())


def parse_lines(lines: Iterable[str]) -> Iterator[JournalFact]:
    """Facts from lines of text, or JournalRefused with the line's number."""
    for number, line in enumerate(lines, start=1):
        try:
            values = read_told(line, longest=2 * _LONGEST_MODEL)
            kind = _KINDS[values.pop("fact")]
            yield fill_in(kind, values, widths_of(_KEPT_IN[kind]) | _WIDTHS)
        except (ValueError, KeyError, TypeError) as wrong:
            raise JournalRefused("journal_line", line=number) from wrong


def _receive(session: Session, fact: IssuedFact | ActFact | ReleaseFact) -> set[int]:
    entity = get_entity(session, fact.list_name, fact.entity)
    own = {one.name: getattr(fact, one.name) for one in fields(fact)[2:]}
    if isinstance(fact, IssuedFact):
        _receive_number(session, entity, fact, own)
    elif isinstance(fact, ActFact):
        if session.scalar(select(EntityAct.id).where(EntityAct.uuid == fact.uuid)) is None:
            session.add(EntityAct(entity_id=entity.id, **own))
    elif session.get(EntityRelease, (entity.id, fact.record)) is None:
        session.add(EntityRelease(entity_id=entity.id, **own))
    return {entity.id}


def _receive_number(session: Session, entity: Entity, fact: IssuedFact, own: dict[str, Any]) -> None:
    known = session.get(IssuedVersion, (entity.id, fact.number))
    if known is None:
        session.add(IssuedVersion(entity_id=entity.id, **own))
        if slot_of(fact.number) == read_slot(session):
            entity.version = max(entity.version, fact.number)
        else:
            # Another server's: whether we may serve it too is seen by the fold.
            entity.claimed = max(entity.claimed, fact.number)
    elif (known.added, known.removed) != (fact.added, fact.removed):
        raise JournalRefused("journal_number_taken", number=fact.number, id=fact.entity)
