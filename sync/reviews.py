"""Comments on a record, and its review state as ODK Central names it: computed, but for a mark that a person sets.

Approving and rejecting are the decisions of quarantine.py; `hasIssues` and `edited` change nothing that counts.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session, joinedload

from forms.errors import N_, FormsError
from sync.audit import add_audit_event
from sync.models import Decision, Submission, SubmissionComment, SubmissionMark
from sync.quarantine import accept, reject, replay

LONGEST_COMMENT = 2000
REVIEW_STATES = ("hasIssues", "edited", "rejected", "approved")
_MARKS = ("hasIssues", "edited")
# The reason that stays with a decision which came as a review state, without words.
_REASONS = {"approved": "approved by review", "rejected": "rejected by review"}


class ReviewRefused(FormsError):
    """A comment or review state that cannot be kept."""

    messages = {
        "comment_length": N_("A comment needs words, and at most 2,000 characters."),
        "review_state_unknown": N_("There is no such review state."),
    }


def add_comment(session: Session, root_id: int, body: str, actor_id: int, now: datetime) -> SubmissionComment:
    """Keep a comment with the record with which a chain of edits began."""
    if not 0 < len(body.strip()) <= LONGEST_COMMENT:
        raise ReviewRefused("comment_length")
    comment = SubmissionComment(submission_id=root_id, body=body.strip(), actor_id=actor_id, created_at=now)
    session.add(comment)
    session.flush()
    add_audit_event(session, actor_id, "submission.commented", f"submission:{root_id}", now)
    return comment


def receive_comment(session: Session, root_id: int, body: str, actor_id: int, written_at: datetime) -> None:
    """Keep a comment that was written on another server; twice is once."""
    written = {"submission_id": root_id, "body": body.strip(), "created_at": written_at}
    if session.scalar(select(SubmissionComment.id).filter_by(**written)) is None:
        add_comment(session, root_id, body, actor_id, written_at)


def list_comments(session: Session, root_id: int) -> list[SubmissionComment]:
    """The comments of a record, newest first."""
    query = select(SubmissionComment).where(SubmissionComment.submission_id == root_id)
    return list(
        session.scalars(query.options(joinedload(SubmissionComment.actor)).order_by(SubmissionComment.id.desc()))
    )


def change_review_state(
    session: Session, submission: Submission, state: str | None, actor_id: int, reason: str, now: datetime
) -> None:
    """Review the version that stands. Any state but approval and rejection takes an earlier decision back."""
    if state is not None and state not in REVIEW_STATES:
        raise ReviewRefused("review_state_unknown", state=state)
    mark = state if state in _MARKS else ""
    session.merge(SubmissionMark(submission_id=submission.id, mark=mark, actor_id=actor_id, marked_at=now))
    words = reason or _REASONS.get(state or "", "")
    if state == "approved":
        accept(session, submission, actor_id, words, now)
    elif state == "rejected":
        reject(session, submission, actor_id, words, now)
    elif submission.decision is not None:
        replay(session, submission, actor_id, words, now)
    session.flush()
    add_audit_event(session, actor_id, "submission.reviewed", f"submission:{submission.id}", now, state=state or "")


def receive_mark(session: Session, submission_id: int, mark: str, actor_id: int, marked_at: datetime) -> None:
    """Keep a mark that was set, or taken back, on another server, unless a later one stands; twice is once."""
    if mark not in ("", *_MARKS):
        raise ReviewRefused("review_state_unknown", state=mark)
    known = session.get(SubmissionMark, submission_id)
    if known is None or known.marked_at < marked_at:
        session.merge(SubmissionMark(submission_id=submission_id, mark=mark, actor_id=actor_id, marked_at=marked_at))
        add_audit_event(session, actor_id, "submission.reviewed", f"submission:{submission_id}", marked_at, state=mark)


def decide_review_state(submission: Submission, mark: str | None) -> str | None:
    """What Central would call the state of this version: a person's word, else a mark, else what is known."""
    if submission.decision in ("accept", "reject"):
        return "approved" if submission.decision == "accept" else "rejected"
    if mark:
        return mark
    if submission.state == "quarantined":
        return "hasIssues"
    return "edited" if submission.deprecated_id is not None else None


def find_mark(session: Session, submission_id: int) -> str | None:
    """The mark that a person set on this version."""
    return session.scalar(select(SubmissionMark.mark).where(SubmissionMark.submission_id == submission_id))


def review_state_column() -> ColumnElement[str | None]:
    """decide_review_state in SQL, for filters and orders."""
    of_version = select(SubmissionMark.mark).where(
        SubmissionMark.submission_id == Submission.id, SubmissionMark.mark != ""
    )
    mark = of_version.scalar_subquery()
    return case(
        (Submission.decision == "accept", "approved"),
        (Submission.decision == "reject", "rejected"),
        (mark.is_not(None), mark),
        (Submission.state == "quarantined", "hasIssues"),
        (Submission.deprecated_id.is_not(None), "edited"),
        else_=None,
    )


def read_reviewed_at(session: Session, ids: Sequence[int]) -> dict[int, datetime]:
    """When somebody last said something about these versions, be it to take it back; nothing of the others."""
    decided = select(Decision.submission_id, func.max(Decision.decided_at)).group_by(Decision.submission_id)
    marked = select(SubmissionMark.submission_id, SubmissionMark.marked_at)
    found: dict[int, datetime] = {}
    for query, owner in ((decided, Decision.submission_id), (marked, SubmissionMark.submission_id)):
        for submission_id, at in session.execute(query.where(owner.in_(ids))):
            found[submission_id] = max(at, found.get(submission_id, at))
    return found


def reviewed_at_column() -> ColumnElement[datetime | None]:
    """When somebody last said something about a version, be it to take it back, in SQL."""
    decided = select(func.max(Decision.decided_at)).where(Decision.submission_id == Submission.id).scalar_subquery()
    marked = select(SubmissionMark.marked_at).where(SubmissionMark.submission_id == Submission.id).scalar_subquery()
    return _later(decided, marked)


def updated_at_column() -> ColumnElement[datetime | None]:
    """When a record was last edited or reviewed, in SQL: programs that ask for what is new must see both."""
    edited = case((Submission.deprecated_id.is_not(None), Submission.received_at), else_=None)
    return _later(edited, reviewed_at_column())


def _later(one: Any, other: Any) -> ColumnElement[Any]:
    return case((one.is_(None), other), (other.is_(None), one), (one > other, one), else_=other)
