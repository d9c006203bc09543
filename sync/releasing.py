"""Put submissions back into the work list: what they waited for has come, or a human wants them judged anew."""

from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from sync.models import FormVersion, Submission, SubmissionEvent
from sync.states import refresh_state


def release_submission(
    session: Session, submission: Submission, cause: str, actor_id: int | None, now: datetime
) -> None:
    """Make a submission as new to the processing, whatever was found about it; a human's decision stays."""
    submission.processed_at = submission.next_attempt_at = None
    submission.reason = submission.waits_for = None
    submission.attempts = 0
    submission.locked = False
    refresh_state(submission)
    session.add(
        SubmissionEvent(
            submission_id=submission.id, at=now, kind="released", actor_id=actor_id, details={"cause": cause}
        )
    )


def release_waiting_for_form(session: Session, version: FormVersion, now: datetime) -> int:
    """Release what came before its form version did, or after it was closed; return how many."""
    form_id = version.form.form_id
    reasons = ["unknown_version"] if version.closed_at else ["unknown_version", "closed_form"]
    of_version = and_(Submission.reason.in_(reasons), Submission.version == version.version)
    query = select(Submission).where(
        Submission.state == "quarantined",
        Submission.form_id == form_id,
        Submission.is_draft.is_(False),
        or_(Submission.reason == "unknown_form", of_version),
    )
    waiting = session.scalars(query).all()
    for submission in waiting:
        release_submission(session, submission, "form_published", version.published_by_id, now)
    session.flush()
    return len(waiting)
