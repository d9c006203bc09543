"""A person's word about a submission: judge it again, accept it in spite of its findings, or reject it. All reversible.

Each word is a Decision that stays; the state follows from the last one (states.py, families.py).
"""

from datetime import datetime

from sqlalchemy.orm import Session

from forms.errors import N_, FormsError
from sync.audit import add_audit_event
from sync.models import Decision, Submission
from sync.registry import lock_registry
from sync.releasing import release_submission

MIN_REASON = 5


class DecisionRefused(FormsError):
    """A decision that cannot be taken as it was given."""

    messages = {
        "reason_missing": N_("Give a reason of at least %(least)s characters: it stays with the record."),
    }


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
    decision = Decision(
        submission_id=submission.id, kind=kind, reason=reason.strip(), actor_id=actor_id, decided_at=now
    )
    session.add(decision)
    submission.decision = None if kind == "replay" else kind
    release_submission(session, submission, kind, actor_id, now)
    add_audit_event(session, actor_id, f"submission.{kind}", f"submission:{submission.id}", now)
    session.flush()
    return decision
