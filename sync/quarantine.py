"""A person's word about a submission: judge it again, accept it in spite of its findings, or reject it. All reversible.

Each word is a Decision that stays; the state follows from the last one (states.py, families.py).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from forms.errors import N_, FormsError
from sync.audit import add_audit_event
from sync.models import AwaitedDecision, Decision, Erasure, Submission
from sync.registry import lock_registry
from sync.releasing import release_submission

MIN_REASON = 5


class DecisionRefused(FormsError):
    """A decision that cannot be taken as it was given."""

    messages = {
        "reason_missing": N_("Give a reason of at least %(least)s characters: it stays with the record."),
    }


@dataclass(frozen=True, slots=True)
class VerdictFact:
    """A person's word about a submission as every server tells it: by names, never by row ids."""

    form_id: str
    instance_id: str
    xml_sha256: str
    kind: Literal["replay", "accept", "reject"]
    reason: str
    decided_at: datetime


def select_verdicts() -> Select[Any]:
    """Every word about a record, drafts aside, with the columns of a VerdictFact; the oldest first."""
    named = select(Submission.form_id, Submission.instance_id, Submission.xml_sha256)
    spoken = named.add_columns(Decision.kind, Decision.reason, Decision.decided_at)
    spoken = spoken.join(Decision, Decision.submission_id == Submission.id).where(Submission.is_draft.is_(False))
    return spoken.order_by(Decision.decided_at, Decision.id)


def receive_verdict(session: Session, fact: VerdictFact, now: datetime) -> None:
    """Take in a word that was spoken elsewhere; about a record that is not here it waits. Twice is once.

    Of a record that was erased no reason is kept, and none where it was erased where the word comes from.
    """
    lock_registry(session)
    named = (Submission.xml_sha256 == fact.xml_sha256, Submission.form_id == fact.form_id)
    submission = session.scalar(
        select(Submission).where(*named, Submission.instance_id == fact.instance_id, Submission.is_draft.is_(False))
    )
    if submission is not None:
        if _take(session, submission, fact):
            release_submission(session, submission, fact.kind, None, now)
    elif (awaited := _find_awaited(session, fact)) is None:
        session.add(AwaitedDecision(**asdict(fact)))
    elif not fact.reason:
        awaited.reason = ""
    session.flush()


def _find_awaited(session: Session, fact: VerdictFact) -> AwaitedDecision | None:
    named = {"form_id": fact.form_id, "instance_id": fact.instance_id, "xml_sha256": fact.xml_sha256}
    return session.scalar(select(AwaitedDecision).filter_by(**named, decided_at=fact.decided_at))


def take_awaited(session: Session, rows: Sequence[Submission]) -> None:
    """Give to freshly judged submissions the words that were spoken about them before they came."""
    by_name = {(one.xml_sha256, one.form_id, one.instance_id): one for one in rows if not one.is_draft}
    for awaited in session.scalars(_AWAITED, {"hashes": [sha256 for sha256, *_ in by_name]}).all():
        submission = by_name.get((awaited.xml_sha256, awaited.form_id, awaited.instance_id))
        if submission is not None:
            _take(session, submission, awaited)
            session.delete(awaited)


_AWAITED = select(AwaitedDecision).where(AwaitedDecision.xml_sha256.in_(bindparam("hashes", expanding=True)))


def _take(session: Session, submission: Submission, word: VerdictFact | AwaitedDecision) -> bool:
    """Add the word to what was said about the submission; the last one counts, whichever came first."""
    known = session.scalars(select(Decision).where(Decision.submission_id == submission.id)).all()
    if any((one.kind, one.decided_at) == (word.kind, word.decided_at) for one in known):
        return False
    reason = "" if session.get(Erasure, submission.id) is not None else word.reason
    fresh = Decision(submission_id=submission.id, kind=word.kind, reason=reason, decided_at=word.decided_at)
    session.add(fresh)
    last = max([*known, fresh], key=lambda one: (one.decided_at, one.kind))
    submission.decision = None if last.kind == "replay" else last.kind
    session.flush()
    return True


def replay(session: Session, submission: Submission, actor_id: int | None, reason: str, now: datetime) -> Decision:
    """Judge the submission again as if nobody had decided; takes back an acceptance or a rejection."""
    return _decide(session, submission, "replay", actor_id, reason, now)


def accept(session: Session, submission: Submission, actor_id: int | None, reason: str, now: datetime) -> Decision:
    """Let the submission count in spite of its findings, and before its twins and rival edits."""
    return _decide(session, submission, "accept", actor_id, reason, now)


def reject(session: Session, submission: Submission, actor_id: int | None, reason: str, now: datetime) -> Decision:
    """Let the submission count for nothing; it is kept all the same."""
    return _decide(session, submission, "reject", actor_id, reason, now)


def _decide(
    session: Session, submission: Submission, kind: str, actor_id: int | None, reason: str, now: datetime
) -> Decision:
    # A replay may go without words: it takes nothing from anybody.
    if kind != "replay" and len(reason.strip()) < MIN_REASON:
        raise DecisionRefused("reason_missing", least=MIN_REASON)
    # Whoever is judging the submission at this moment finishes first, and its state is seen as it is then.
    lock_registry(session)
    session.refresh(submission, with_for_update=True)
    decided_at = _follow_last(session, submission, now)
    decision = Decision(
        submission_id=submission.id, kind=kind, reason=reason.strip(), actor_id=actor_id, decided_at=decided_at
    )
    session.add(decision)
    submission.decision = None if kind == "replay" else kind
    release_submission(session, submission, kind, actor_id, now)
    add_audit_event(session, actor_id, f"submission.{kind}", f"submission:{submission.id}", now)
    session.flush()
    return decision


def _follow_last(session: Session, submission: Submission, now: datetime) -> datetime:
    """The moment of a word that is spoken now: later than any that is here, since whoever speaks has seen them.

    One may be of a server whose clock is years ahead, and on every server the later word holds.
    """
    last = session.scalar(select(func.max(Decision.decided_at)).where(Decision.submission_id == submission.id))
    return now if last is None else max(now, last + timedelta(microseconds=1))
