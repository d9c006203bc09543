"""Erasure of a submission's answers: a fact that outlives them, with what is retained for the registry to stand.

Which records are due, and what may be kept of them, is the programme's word and the caller's question.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from forms.entities import EntityChange
from forms.errors import N_, Finding, FormsError
from forms.records import Encounter, PersonRecord
from sync.answers import forget_answers
from sync.audit import add_audit_event
from sync.awaited_files import stop_awaiting
from sync.entity_fold import fold_whole
from sync.freed_files import free_files, list_files_of
from sync.judging import Verdict
from sync.link_inquiries import forget_inquiry_notes
from sync.models import (
    AuditEvent,
    Decision,
    Entity,
    EntityContribution,
    EntityDecision,
    Erasure,
    IssuedVersion,
    LinkDecision,
    LinkVerdict,
    Submission,
    SubmissionAttachment,
    SubmissionComment,
    SubmissionFinding,
)
from sync.models import PersonRecord as PersonRow
from sync.releasing import release_submission
from sync.retained import parse_retained
from sync.settling import find_places
from sync.told import fill_in, widths_of

_ERASED = "submission.erased"
_PLACES = {"path", "position"}
# The columns in which names stand, and what the retained calls otherwise.
_WIDTHS = {
    **widths_of(Entity, EntityContribution),
    "id": widths_of(Entity)["uuid"],
    "problems": widths_of(EntityContribution)["problem"],
    "code": widths_of(SubmissionFinding)["code"],
}


@dataclass(frozen=True, slots=True)
class Keep:
    """The names of what stays: properties of persons, of encounters and of entities."""

    person: Collection[str] = ()
    encounter: Collection[str] = ()
    entity: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class ErasureFact:
    """That a submission's answers were erased, as every server tells it."""

    retained: dict[str, Any]
    reason: str
    erased_at: datetime


@dataclass(frozen=True, slots=True)
class _Told:
    """What another server says was retained: each of these as JSON has it."""

    persons: list[dict[str, Any]]
    encounters: list[dict[str, Any]]
    entities: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    started_at: datetime | None
    ended_at: datetime | None
    keep: dict[str, list[str]] = field(default_factory=dict)


class ErasureRefused(FormsError):
    """An erasure that was told of and cannot be carried out."""

    messages = {"erasure_retained": N_("What was retained of a record that was erased cannot be read.")}


def erase_submission(
    session: Session,
    submission: Submission,
    verdict: Verdict,
    keep: Keep,
    *,
    actor_id: int | None,
    now: datetime,
    reason: str,
) -> None:
    """Erase what a submission says but for `keep`, wherever it was written down, and what was said about it.

    The processing then tells it anew.

    `verdict` is what it says now (judging.py). Its hash stays, so that a tablet that sends it again is told that it is
    here. Of a record that was edited the latest edit comes first: who its persons are is told from the others. The
    caller holds the registry's lock (registry.lock_registry).
    """
    places = find_places(session, submission, verdict.persons, verdict.work.seal)
    fact = ErasureFact(_retain(verdict, keep, places), reason, now)
    _erase(session, submission, fact, actor_id, now)


def receive_erasure(session: Session, submission: Submission, fact: ErasureFact, now: datetime) -> None:
    """Erase what was erased on another server, with what was retained there; twice is once.

    Raises ErasureRefused for what cannot be read. The caller holds the registry's lock.
    """
    check_erasure(fact)
    if session.get(Erasure, submission.id) is None:
        _erase(session, submission, fact, None, now)


def check_erasure(fact: ErasureFact) -> None:
    """Raise ErasureRefused for what another server retained and cannot be read here."""
    try:
        _check(fact.retained)
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise ErasureRefused("erasure_retained") from wrong


def describe_erasure(erasure: Erasure) -> ErasureFact:
    """An erasure as another server is told of it."""
    return ErasureFact(erasure.retained, erasure.reason, erasure.erased_at)


def find_last_erasure(session: Session) -> int:
    """The number in the journal of the last erasure of a record's answers; 0 before there was any."""
    return session.scalar(select(func.max(AuditEvent.id)).where(AuditEvent.action == _ERASED)) or 0


def has_erased(session: Session, since: datetime) -> bool:
    """Tell whether anything was erased since then."""
    lately = select(AuditEvent.id).where(AuditEvent.at >= since, AuditEvent.action.in_((_ERASED, "entity.erased")))
    return session.scalar(lately.limit(1)) is not None


def _erase(session: Session, submission: Submission, fact: ErasureFact, actor_id: int | None, now: datetime) -> None:
    told = {"retained": fact.retained, "reason": fact.reason, "erased_at": fact.erased_at}
    session.add(Erasure(submission_id=submission.id, actor_id=actor_id, **told))
    keep = _read_keep(fact.retained)
    submission.xml = b""
    of_it = SubmissionFinding.submission_id == submission.id
    session.execute(update(SubmissionFinding).where(of_it).values(value=None))
    _erase_files(session, submission)
    forget_answers(session, [submission.id])
    session.execute(delete(SubmissionComment).where(SubmissionComment.submission_id == submission.id))
    # That something was decided about the record stays; why may tell who it is about.
    session.execute(update(Decision).where(Decision.submission_id == submission.id).values(reason=""))
    _erase_entities(session, submission, frozenset(keep.entity), now)
    _erase_words(session, submission, frozenset(keep.person))
    forget_inquiry_notes(session, submission.id)
    release_submission(session, submission, "erased", actor_id, now)
    add_audit_event(session, actor_id, _ERASED, f"submission:{submission.id}", now)


def _retain(verdict: Verdict, keep: Keep, places: Mapping[str, str]) -> dict[str, Any]:
    told = [(one, places.get(one.path, one.path)) for one in verdict.persons]
    moved = {one.path: {"place": place} for one, place in told if place != one.path}
    persons = [_kept(one, {*keep.person, *_PLACES}) | moved.get(one.path, {}) for one in verdict.persons]
    encounters = [_kept(one, {*keep.encounter, *_PLACES}) for one in verdict.encounters]
    entities = [asdict(replace(one, label=None, values=_only(one.values, keep.entity))) for one in verdict.entities]
    findings = [asdict(replace(one, value=None)) for one in verdict.findings]
    times = {"started_at": _written(verdict.started_at), "ended_at": _written(verdict.ended_at)}
    names = {kind: sorted(some) for kind, some in asdict(keep).items()}
    kept = {
        "persons": persons, "encounters": encounters, "entities": entities, "findings": findings, "keep": names, **times
    }  # fmt: skip
    # As JSON keeps it, on every database.
    written: dict[str, Any] = json.loads(json.dumps(kept, default=_written))
    return written


def _kept(one: PersonRecord | Encounter, names: Collection[str]) -> dict[str, Any]:
    return _only({field.name: getattr(one, field.name) for field in fields(one)}, names)


def _only(values: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in names}


def _written(value: date | datetime | None) -> str | None:
    return value.isoformat() if value is not None else None


def _check(kept: dict[str, Any]) -> None:
    """Raise for what no server retains: the processing would stumble over it again and again.

    Answers are fitted to their columns when they are written down. What names things is kept as it comes.
    """
    parse_retained(kept), _read_keep(kept)
    told = fill_in(_Told, {one.name: kept[one.name] for one in fields(_Told) if one.name in kept}, {})
    rows = (PersonRecord, told.persons), (Encounter, told.encounters), (EntityChange, told.entities)
    for kind, some in (*rows, (Finding, told.findings)):
        for one in some:
            # These two were read above, in whichever way they were written.
            fill_in(kind, {name: value for name, value in one.items() if name not in ("birth_date", "at")}, _WIDTHS)
    for some in (told.persons, told.encounters):
        paths, places = {one["path"] for one in some}, {one.get("place") or one["path"] for one in some}
        if min(len(paths), len(places)) < len(some):
            raise ValueError("two at one place")


def _read_keep(kept: dict[str, Any]) -> Keep:
    """What stays of values that were written down elsewhere; nothing where an older erasure does not say it."""
    return Keep(**kept.get("keep", {}))


def _erase_files(session: Session, submission: Submission) -> None:
    files = list_files_of(session, submission.id) | stop_awaiting(session, submission.id)
    # Their names go, too: they are answers, and can say as much as the files.
    session.execute(delete(SubmissionAttachment).where(SubmissionAttachment.submission_id == submission.id))
    submission.missing_files = 0
    free_files(session, files)


def _erase_entities(session: Session, submission: Submission, keep: frozenset[str], now: datetime) -> None:
    """Let the entities stand at once as they do without it: nobody is served in between what is erased."""
    mine = session.scalars(select(EntityContribution).filter_by(submission_id=submission.id)).all()
    for one in mine:
        one.label, one.properties = None, _only(one.properties, keep)
    touched = {one.entity_id for one in mine}
    forget_served(session, touched, keep)
    fold_whole(session, touched, now)
    session.expire_all()


def forget_served(session: Session, ids: Collection[int], keep: Collection[str]) -> None:
    """Let what was served of these entities keep its numbers and what came into them, and forget what it said.

    So do the decisions about their values. What is in `keep` stays.
    """
    for issued in session.scalars(select(IssuedVersion).where(IssuedVersion.entity_id.in_(ids))):
        issued.label, issued.properties = "", _only(issued.properties, keep)
    for decision in session.scalars(select(EntityDecision).where(EntityDecision.entity_id.in_(ids))):
        if decision.property_name not in keep:
            decision.value, decision.shown = "", [[key, ""] for key, _value in decision.shown]
    session.flush()


def _erase_words(session: Session, submission: Submission, keep: frozenset[str]) -> None:
    """Decisions about its persons hold on; why they were taken, and values set by hand, are forgotten."""
    mine = select(PersonRow.reference).where(PersonRow.submission_id == submission.id)
    named = select(LinkVerdict.decision_id).where(LinkVerdict.record.in_(mine))
    for decision in session.scalars(select(LinkDecision).where(LinkDecision.id.in_(named))):
        decision.reason = ""
        if decision.value is not None and decision.property_name not in keep:
            decision.value = ""
    session.flush()
