"""Who sent the records of a form: tablets and the users of programs, as actors."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from sync.heads import is_head
from sync.models import Actor, Device, Submission, SubmissionSender
from sync.policy import Viewer, access
from sync.scopes import scope_submissions


def list_submitters(session: Session, viewer: Viewer, form_id: str) -> list[Actor]:
    """Everybody of whom a record of this form is here that the viewer may know of, by name.

    Nobody for a viewer who may not know whose tablets and accounts there are.
    """
    if not access(viewer, "D7").reads_plainly:
        return []
    known = scope_submissions(select(Submission).where(Submission.form_id == form_id, is_head()), viewer)
    devices = select(Device.actor_id).where(Device.id.in_(known.with_only_columns(Submission.device_id)))
    programs = select(SubmissionSender.actor_id).where(
        SubmissionSender.submission_id.in_(known.with_only_columns(Submission.id))
    )
    query = select(Actor).where(or_(Actor.id.in_(devices), Actor.id.in_(programs)))
    return list(session.scalars(query.order_by(Actor.display_name)))
