"""Lists of submissions for people: filtered, scoped to the viewer, read by key. Counting is status.py's work."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, defer, joinedload

from sync.models import Submission
from sync.models.submissions import first_or_twin
from sync.policy import Viewer, list_exportable_classes
from sync.scopes import of_classes, scope_submissions

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Filters:
    """What a reader narrows the list to; None is no limit."""

    state: str | None = None
    form_id: str | None = None
    site_id: int | None = None
    device_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


def select_submissions(viewer: Viewer, filters: Filters) -> Select[Submission]:
    """Real submissions (no tests of drafts) that the viewer may know of, newest first, without their XML."""
    found = select(Submission).where(Submission.is_draft.is_(False))
    for column in ("state", "form_id", "site_id", "device_id"):
        wanted = getattr(filters, column)
        if wanted is not None:
            found = found.where(getattr(Submission, column) == wanted)
    if filters.since:
        found = found.where(Submission.received_at >= filters.since)
    if filters.until:
        found = found.where(Submission.received_at < filters.until)
    return (
        scope_submissions(found, viewer)
        .options(defer(Submission.xml), joinedload(Submission.device), joinedload(Submission.site))
        .order_by(Submission.id.desc())
    )


def list_exportable(session: Session, viewer: Viewer, filters: Filters) -> Iterator[Submission]:
    """Those of the list whose form is of a class that the viewer may export; a million cost no more memory than some
    hundreds.
    """
    found = select_submissions(viewer, filters).where(of_classes(list_exportable_classes(viewer))).limit(_AT_ONCE)
    rows = session.scalars(found).all()
    while rows:
        yield from rows
        rows = session.scalars(found.where(Submission.id < rows[-1].id)).all()


def find_submission(session: Session, viewer: Viewer, submission_id: int) -> Submission | None:
    """Find one submission that the viewer may know of."""
    return session.scalar(scope_submissions(select(Submission).where(Submission.id == submission_id), viewer))


def find_neighbours(
    session: Session, viewer: Viewer, filters: Filters, submission_id: int
) -> tuple[int | None, int | None]:
    """The ids of the next newer and the next older submission in the same list."""
    ids = select_submissions(viewer, filters).with_only_columns(Submission.id).order_by(None)
    newer = session.scalar(ids.where(Submission.id > submission_id).order_by(Submission.id).limit(1))
    older = session.scalar(ids.where(Submission.id < submission_id).order_by(Submission.id.desc()).limit(1))
    return newer, older


def list_twins(session: Session, viewer: Viewer, submission: Submission) -> Sequence[Submission]:
    """Records that came with the same identifier and other content, the first one included."""
    first = submission.twin_of_id or submission.id
    same = select(Submission).where((Submission.id == first) | (Submission.twin_of_id == first))
    found = scope_submissions(same.where(Submission.id != submission.id), viewer)
    return session.scalars(found.order_by(Submission.id)).all()


def list_edits(session: Session, viewer: Viewer, submission: Submission) -> list[Submission]:
    """The chain of corrections that this record stands in, oldest first; only it when there are none."""
    chain = [submission]
    while (earlier := _find_earlier(session, viewer, chain[0])) and earlier not in chain:
        chain.insert(0, earlier)
    while (later := _find_later(session, viewer, chain[-1])) and later not in chain:
        chain.append(later)
    return chain


def _find_earlier(session: Session, viewer: Viewer, one: Submission) -> Submission | None:
    if one.deprecated_id is None:
        return None
    replaced = _of_same_form(one).where(first_or_twin(Submission.instance_id == one.deprecated_id))
    return session.scalars(scope_submissions(replaced, viewer).order_by(Submission.id)).first()


def _find_later(session: Session, viewer: Viewer, one: Submission) -> Submission | None:
    replacing = _of_same_form(one).where(Submission.deprecated_id == one.instance_id)
    return session.scalars(scope_submissions(replacing, viewer).order_by(Submission.id)).first()


def _of_same_form(one: Submission) -> Select[Submission]:
    same_form = Submission.form_id == one.form_id
    return select(Submission).where(same_form, Submission.is_draft == one.is_draft)
