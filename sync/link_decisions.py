"""A person's word about whose records are whose, and about a golden value. All reversible, nothing ever overwritten.

Decisions name records by their references, not persons: what a person is follows from them (link_fold.py). Of two
decisions about the same two records the later one holds. Who may decide is the caller's question; what is decided about
a whole person is decided by who may read all of it.
"""

from collections.abc import Collection, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from datetime import datetime
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import Select, and_, func, insert, select
from sqlalchemy.orm import Session

from forms.errors import N_, FormsError
from sync.audit import add_audit_event
from sync.authors import find_author, is_same_author, name_of
from sync.golden import GOLDEN, parse_golden
from sync.link_checks import withdraw_parting_checks
from sync.link_documents import compare_documents
from sync.link_fold import decide_around, read_link_record
from sync.link_models import Linking, find_linking, list_linkings
from sync.link_verdicts import LINKING
from sync.linkage.explain import Step
from sync.models import Actor, LinkDecision, LinkVerdict, Person, PersonRecord
from sync.policy import Viewer
from sync.quarantine import MIN_REASON, DecisionRefused
from sync.registry import lock_registry
from sync.scopes import scope_people

LONGEST = 4000
# What a second person must confirm before it holds.
WAITING = and_(
    LinkDecision.needs_second, LinkDecision.confirmed_at.is_(None), LinkDecision.undone_at.is_(None)
)  # fmt: skip
# A split names each record of one side with each of the other.
MOST_PAIRS = 10_000
_ADD_VERDICT = insert(LinkVerdict)


class LinkDecisionRefused(FormsError):
    """A decision that cannot be taken as it was given. The message never tells what a record says."""

    messages = {
        "link_records_missing": N_("A decision needs two different records."),
        "link_side_empty": N_("Choose some of the records, but not all of them."),
        "link_records_many": N_("So many records cannot be decided at once."),
        "link_records_hidden": N_(
            "Some records of this person are not yours to read. Leave this to somebody who may read all of them."
        ),
        "link_person_changed": N_("The records of this person have changed meanwhile. Look at them again."),
        "link_value_unknown": N_("There is no such property of a person."),
        "link_value_unreadable": N_("This property cannot have this value."),
        "link_text_long": N_("At most %(most)s characters are possible here."),
        "link_decision_undone": N_("This decision was already undone."),
        "link_decision_confirmed": N_("This decision needs no further confirmation."),
        "link_decision_waiting": N_("A decision about these records awaits a second person already."),
        "link_decision_own": N_("A second person must confirm this decision."),
    }


@dataclass(frozen=True, slots=True)
class Shown:
    """What the person who decides was shown: the model version, and its weights."""

    model_version: str | None = None
    steps: Sequence[Step] = ()


@dataclass(frozen=True, slots=True)
class Word:
    """Who decides, when and why. `needs_second`: it holds only when another person has confirmed it."""

    actor_id: int | None
    now: datetime
    reason: str = ""
    shown: Shown = Shown()
    needs_second: bool = False


# A step of the waterfall as it was shown: its name, its bits, and of each part the level that was found.
Weight = tuple[str, float, list[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class LinkFact:
    """A decision as every server tells it: by names, never by row ids. Older servers tell neither who nor weights."""

    uuid: str
    kind: Literal["same", "apart", "unlink", "split", "unsure", "value"]
    left: Sequence[str]
    right: Sequence[str]
    property_name: str | None
    value: str | None
    reason: str
    model_version: str | None
    decided_at: datetime
    needs_second: bool
    confirmed_at: datetime | None
    undone_at: datetime | None
    actor: str | None = None
    confirmed_by: str | None = None
    undone_by: str | None = None
    weights: Sequence[Weight] = ()


# What people's names and weights are not: the same in the fact and in the row.
_PLAIN = tuple(one.name for one in fields(LinkFact) if one.default is MISSING)


def decide_same(session: Session, one: str, other: str, word: Word) -> LinkDecision:
    """Say that two records are of one person, or raise LinkDecisionRefused."""
    return _decide(session, "same", [one], [other], word)


def decide_apart(session: Session, one: str, other: str, word: Word) -> LinkDecision:
    """Say that two records are never of the same person, or raise LinkDecisionRefused."""
    return _decide(session, "apart", [one], [other], word)


def decide_unsure(session: Session, one: str, other: str, word: Word) -> LinkDecision:
    """Write down that somebody looked and could not tell; nothing follows from it."""
    return _decide(session, "unsure", [one], [other], word)


def unlink_record(
    session: Session, viewer: Viewer, reference: str, others: Collection[str], word: Word
) -> LinkDecision:
    """Take one record out of its person, whose others are all named: it is of none of them, or raise as split_person.

    Where a document speaks against it, a second person must confirm.
    """
    return _part(session, "unlink", viewer, [reference], others, word)


def split_person(
    session: Session, viewer: Viewer, left: Collection[str], right: Collection[str], word: Word
) -> LinkDecision:
    """Part the records of a person in two, all of them named, or raise LinkDecisionRefused if they are others now.

    Where a document speaks against it, a second person must confirm.
    """
    return _part(session, "split", viewer, left, right, word)


def set_golden_value(
    session: Session, viewer: Viewer, reference: str, property_name: str, value: str, word: Word
) -> LinkDecision:
    """Let a value stand for the person that this record belongs to, whatever records say, until it is undone.

    LinkDecisionRefused unless the viewer may read all records of the person.
    """
    parsed = _parse_value(property_name, value, word.now)
    _lock_person(session, viewer, reference)
    linking = find_linking(session)
    shown = Shown(linking.model.version) if linking else word.shown
    decision = _new(session, "value", [reference], [], replace(word, shown=shown))
    decision.property_name, decision.value = property_name, parsed
    session.flush()
    _audit(session, decision, "decided", word.actor_id, word.now)
    return decision


def _parse_value(property_name: str, value: str, now: datetime) -> str:
    if property_name not in GOLDEN:
        raise LinkDecisionRefused("link_value_unknown")
    if len(value) > LONGEST:
        raise LinkDecisionRefused("link_text_long", most=LONGEST)
    try:
        return parse_golden(property_name, value, now.date())
    except ValueError:
        raise LinkDecisionRefused("link_value_unreadable") from None


def confirm_decision(session: Session, decision: LinkDecision, actor_id: int | None, now: datetime) -> None:
    """Let a decision hold that waited for a second person, or raise LinkDecisionRefused: the first one is none."""
    lock_registry(session)
    session.refresh(decision)
    if decision.undone_at is not None:
        raise LinkDecisionRefused("link_decision_undone")
    if not decision.needs_second or decision.confirmed_at is not None:
        raise LinkDecisionRefused("link_decision_confirmed")
    if actor_id is None or is_same_author(session.get(Actor, actor_id), decision.actor):
        raise LinkDecisionRefused("link_decision_own")
    decision.confirmed_at, decision.confirmed_by_id = now, actor_id
    _link_anew(session, decision, now)
    _audit(session, decision, "confirmed", actor_id, now)


def undo_link_decision(session: Session, decision: LinkDecision, actor_id: int | None, now: datetime) -> None:
    """Take a decision back: what held before it holds again, or raise LinkDecisionRefused if it is back already."""
    lock_registry(session)
    session.refresh(decision)
    if decision.undone_at is not None:
        raise LinkDecisionRefused("link_decision_undone")
    decision.undone_at, decision.undone_by_id = now, actor_id
    _undo_checks(session, decision)
    _link_anew(session, decision, now)
    _audit(session, decision, "undone", actor_id, now)


def list_records_of(session: Session, person_id: int) -> Sequence[PersonRecord]:
    """All records of a person, whoever may read them: for what is decided, never for what is shown."""
    return session.scalars(select(PersonRecord).where(PersonRecord.person_id == person_id)).all()


def list_decisions(session: Session, references: Collection[str]) -> Sequence[LinkDecision]:
    """All that people decided about these records, undone ones too, newest first."""
    named = select(LinkVerdict.decision_id).where(LinkVerdict.record.in_(references))
    return session.scalars(
        select(LinkDecision).where(LinkDecision.id.in_(named)).order_by(LinkDecision.decided_at.desc(), LinkDecision.id)
    ).all()


def select_about(one: str, other: str) -> Select[LinkDecision]:
    """The decisions that say something of one record against the other, undone ones too."""
    named = select(LinkVerdict.decision_id).where(LinkVerdict.record == one, LinkVerdict.other == other)
    return select(LinkDecision).where(LinkDecision.id.in_(named))


def find_waiting(session: Session, left: Collection[str], right: Collection[str]) -> LinkDecision | None:
    """The decision about any of the left against any of the right that awaits a second person."""
    about = select(LinkVerdict.decision_id).where(LinkVerdict.record.in_(left), LinkVerdict.other.in_(right))
    waiting = select(LinkDecision).where(LinkDecision.id.in_(about), WAITING)
    return session.scalar(waiting.order_by(LinkDecision.id).limit(1))


def describe_link_decision(decision: LinkDecision) -> LinkFact:
    """The decision as another server can take it in."""
    return LinkFact(
        **{name: getattr(decision, name) for name in _PLAIN},
        actor=name_of(decision.actor),
        confirmed_by=name_of(decision.confirmed_by),
        undone_by=name_of(decision.undone_by),
        weights=[(name, float(bits), [(part, level) for part, level in some]) for name, bits, some in decision.weights],
    )


def receive_link_decision(session: Session, fact: LinkFact, now: datetime) -> None:
    """Take in a decision that was taken elsewhere. It waits for the records that it speaks of; twice is once.

    What was told of it before without names and weights gets them. Raises LinkDecisionRefused for one that nobody could
    take here.
    """
    _check_fact(fact, now)
    lock_registry(session)
    decision = session.scalar(select(LinkDecision).where(LinkDecision.uuid == fact.uuid))
    if decision is None:
        values = {name: getattr(fact, name) for name in _PLAIN}
        decision = LinkDecision(**values | {"left": list(fact.left), "right": list(fact.right), "weights": []})
        _write(session, decision)
    decision.weights = decision.weights or [[name, bits, levels] for name, bits, levels in fact.weights]
    decision.actor = decision.actor or _find_author(session, fact.actor, now)
    _hear(session, decision, fact, now)
    _undo_checks(session, decision)
    _link_anew(session, decision, now)


def _undo_checks(session: Session, decision: LinkDecision) -> None:
    if decision.kind == "apart" and decision.undone_at is not None:
        withdraw_parting_checks(session, decision, decision.undone_at)


def _hear(session: Session, decision: LinkDecision, fact: LinkFact, now: datetime) -> None:
    """What came to a decision since: of two who confirmed it, or undid it, the first one did."""
    if _is_news(decision.confirmed_at, decision.confirmed_by, fact.confirmed_at):
        decision.confirmed_at = fact.confirmed_at
        decision.confirmed_by = _find_author(session, fact.confirmed_by, now)
    if _is_news(decision.undone_at, decision.undone_by, fact.undone_at):
        decision.undone_at, decision.undone_by = fact.undone_at, _find_author(session, fact.undone_by, now)


def _find_author(session: Session, name: str | None, now: datetime) -> Actor | None:
    return find_author(session, name, now) if name else None


def _is_news(known_at: datetime | None, known_by: Actor | None, told_at: datetime | None) -> bool:
    if told_at is None or known_at is None:
        return told_at is not None
    return told_at < known_at or (told_at == known_at and known_by is None)


def _check_fact(fact: LinkFact, now: datetime) -> None:
    if not fact.left or (fact.kind == "value") is bool(fact.right):
        raise LinkDecisionRefused("link_records_missing")
    if len(fact.left) * len(fact.right or fact.left) > MOST_PAIRS:
        raise LinkDecisionRefused("link_records_many")
    # Of a value that was erased its place alone is told.
    if fact.kind == "value" and fact.value:
        _parse_value(fact.property_name or "", fact.value, now)


def _lock_person(session: Session, viewer: Viewer, reference: str) -> Sequence[PersonRecord]:
    """All records of the person whom this one belongs to, none if it is not here, until the end of the transaction."""
    lock_registry(session)
    person_id = session.scalar(select(PersonRecord.person_id).where(PersonRecord.reference == reference))
    if person_id is None:
        return []
    readable = scope_people(select(func.count(PersonRecord.id)), viewer).where(PersonRecord.person_id == person_id)
    records = list_records_of(session, person_id)
    if session.scalar(readable) != len(records):
        raise LinkDecisionRefused("link_records_hidden")
    return records


def _part(
    session: Session, kind: str, viewer: Viewer, left: Collection[str], right: Collection[str], word: Word
) -> LinkDecision:
    """These records of a person from all the others, none of which came or went since somebody looked."""
    if not left or not right:
        raise LinkDecisionRefused("link_side_empty")
    records = _lock_person(session, viewer, min(left))
    if {*left, *right} != {one.reference for one in records}:
        raise LinkDecisionRefused("link_person_changed")
    mine = [one for one in records if one.reference in left]
    theirs = [one for one in records if one.reference not in left]
    linking = find_linking(session)
    grave = compare_documents(linking, mine, theirs).same_number
    told = replace(word, needs_second=grave, shown=_weigh(linking, mine, theirs))
    return _decide(session, kind, [one.reference for one in mine], [one.reference for one in theirs], told)


def _weigh(linking: Linking | None, mine: Sequence[PersonRecord], theirs: Sequence[PersonRecord]) -> Shown:
    """What each pair weighs that is parted, the heaviest first: all that held it together."""
    if linking is None or len(mine) * len(theirs) > MOST_PAIRS:
        return Shown()
    read = {one.reference: linking.model.cleaner.clean(read_link_record(one)) for one in (*mine, *theirs)}
    pairs = [(one.reference, other.reference) for one in mine for other in theirs]
    weighed = sorted((-linking.scorer.score(read[one], read[other]), one, other) for one, other in pairs)
    return Shown(linking.model.version, [Step("pair", -bits, -bits, ((one, other),)) for bits, one, other in weighed])


def _decide(session: Session, kind: str, left: Collection[str], right: Collection[str], word: Word) -> LinkDecision:
    if not left or not right or set(left) & set(right):
        raise LinkDecisionRefused("link_records_missing")
    if len(left) * len(right) > MOST_PAIRS:
        raise LinkDecisionRefused("link_records_many")
    lock_registry(session)
    if word.needs_second and len(word.reason.strip()) < MIN_REASON:
        raise DecisionRefused("reason_missing", least=MIN_REASON)
    if word.needs_second and find_waiting(session, left, right):
        raise LinkDecisionRefused("link_decision_waiting")
    decision = _new(session, kind, left, right, word)
    _link_anew(session, decision, word.now)
    _audit(session, decision, "decided", word.actor_id, word.now)
    return decision


def _new(session: Session, kind: str, left: Collection[str], right: Collection[str], word: Word) -> LinkDecision:
    lock_registry(session)
    if len(word.reason) > LONGEST:
        raise LinkDecisionRefused("link_text_long", most=LONGEST)
    weights = [[step.name, step.bits, [list(one) for one in step.levels]] for step in word.shown.steps]
    decision = LinkDecision(
        uuid=str(uuid4()),
        kind=kind,
        left=sorted(left),
        right=sorted(right),
        reason=word.reason.strip().replace("\0", ""),
        model_version=word.shown.model_version,
        weights=weights,
        actor_id=word.actor_id,
        decided_at=word.now,
        needs_second=word.needs_second,
    )
    _write(session, decision)
    return decision


def _write(session: Session, decision: LinkDecision) -> None:
    """The decision, and the pairs by which it is found; a golden value is found by its record alone."""
    session.add(decision)
    session.flush()
    pairs = {(one, other) for one in decision.left for other in decision.right or decision.left}
    rows: list[dict[str, Any]] = [
        {"record": one, "other": other, "decision_id": decision.id}
        for one, other in sorted(pairs | {(other, one) for one, other in pairs})
    ]
    session.connection().execute(_ADD_VERDICT, rows)


def _link_anew(session: Session, decision: LinkDecision, now: datetime) -> None:
    session.flush()
    if decision.kind not in LINKING:
        return
    named = Person.reference.in_([*decision.left, *decision.right])
    homes = session.scalars(
        select(PersonRecord.home_id).join(Person, Person.id == PersonRecord.home_id).where(named)
    ).all()
    connection = session.connection()
    linking = next(one for one in list_linkings(connection, now) if one.active)
    decide_around(connection, linking, homes, (), now, "decision")
    session.expire_all()


def _audit(session: Session, decision: LinkDecision, done: str, actor_id: int | None, now: datetime) -> None:
    target = f"link_decision:{decision.id}"
    add_audit_event(session, actor_id, f"link.{done}", target, now, kind=decision.kind)
