"""Records as programs count them: one with all its edits, under the instanceID of the first, as it stands now.

The pages show every version as a row of its own (browsing.py).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, select, true
from sqlalchemy.orm import Session, aliased, defer, joinedload

from sync.browsing import list_edits
from sync.models import Submission, SubmissionMark, SubmissionSender
from sync.policy import Viewer
from sync.reviews import decide_review_state, read_reviewed_at
from sync.scopes import scope_submissions

_LONGEST_CHAIN = 1000
# By what a version is found: a test of a draft may bear the name of a record, and is another one.
_Key = tuple[bool, str, str]


@dataclass(frozen=True, slots=True)
class Head:
    """The version of a record that stands, and what the whole record is known by."""

    row: Submission
    root_id: int
    instance_id: str
    created_at: datetime
    edits: int
    actor_id: int | None
    collect_id: str | None
    user_agent: str | None
    review_state: str | None
    reviewed_at: datetime | None

    @property
    def updated_at(self) -> datetime | None:
        """When it was last edited or reviewed."""
        edited_at = self.row.received_at if self.edits else None
        return max(filter(None, (edited_at, self.reviewed_at)), default=None)


def is_head(*, draft: bool = False, up_to: int | None = None) -> ColumnElement[bool]:
    """The condition for the newest version of a record, or of a test of a draft: no twin, and nothing replaces it.

    With `up_to` as it was when this was the last id: whoever reads on, and nothing beyond it, meets each record once,
    though it is edited.
    """
    later = aliased(Submission)
    replaced = exists().where(
        later.form_id == Submission.form_id,
        later.deprecated_id == Submission.instance_id,
        later.is_draft.is_(draft),
        later.twin_of_id.is_(None),
        later.id <= up_to if up_to is not None else true(),
    )
    return and_(Submission.is_draft.is_(draft), Submission.twin_of_id.is_(None), ~replaced)


def select_heads(viewer: Viewer, form_id: str, *, draft: bool = False) -> Select[Submission]:
    """A form's records, or its draft's tests, that the viewer may know of, newest first, without their XML."""
    found = select(Submission).where(Submission.form_id == form_id, is_head(draft=draft))
    shown = (defer(Submission.xml), joinedload(Submission.device))
    return scope_submissions(found, viewer).options(*shown).order_by(Submission.id.desc())


def find_chain(
    session: Session, viewer: Viewer, form_id: str, instance_id: str, *, draft: bool = False
) -> list[Submission]:
    """All versions of the record of which one has this instanceID, oldest first; none where the viewer knows none."""
    named = select(Submission).where(
        Submission.form_id == form_id,
        Submission.instance_id == instance_id,
        Submission.is_draft.is_(draft),
        Submission.twin_of_id.is_(None),
    )
    row = session.scalar(scope_submissions(named, viewer))
    return list_edits(session, viewer, row) if row is not None else []


def make_heads(session: Session, rows: Sequence[Submission]) -> list[Head]:
    """Say what each of these standing versions is known by: for most that is the version itself."""
    roots = _find_roots(session, rows)
    marks = _read(session, SubmissionMark.submission_id, SubmissionMark.mark, [row.id for row in rows])
    senders = _read(session, SubmissionSender.submission_id, SubmissionSender.actor_id, [one.id for one, _ in roots])
    reviewed = read_reviewed_at(session, [row.id for row in rows])
    return [
        Head(
            row=row,
            root_id=root.id,
            instance_id=root.instance_id,
            created_at=root.received_at,
            edits=edits,
            actor_id=root.device.actor_id if root.device else senders.get(root.id),
            collect_id=root.collect_id,
            user_agent=root.user_agent,
            review_state=decide_review_state(row, marks.get(row.id)),
            reviewed_at=reviewed.get(row.id),
        )
        for row, (root, edits) in zip(rows, roots, strict=True)
    ]


def make_head(session: Session, chain: Sequence[Submission]) -> Head:
    """The same for one record whose versions are at hand."""
    return make_heads(session, [chain[-1]])[0]


def list_actors(session: Session, rows: Sequence[Submission]) -> dict[int, int]:
    """Who sent each of these versions: the tablet, or the user of the program."""
    senders = _read(session, SubmissionSender.submission_id, SubmissionSender.actor_id, [row.id for row in rows])
    return {row.id: row.device.actor_id for row in rows if row.device} | senders


def _read(session: Session, key: Any, value: Any, ids: Iterable[int]) -> dict[int, Any]:
    wanted = set(ids)
    if not wanted:
        return {}
    return {one[0]: one[1] for one in session.execute(select(key, value).where(key.in_(wanted)))}


def _find_roots(session: Session, rows: Sequence[Submission]) -> list[tuple[Submission, int]]:
    """The first version of each, and how many edits came since; an edit whose original is not here is a first one."""
    found = [(row, 0) for row in rows]
    for _ in range(_LONGEST_CHAIN):
        wanted = {_key(one, one.deprecated_id) for one, _ in found if one.deprecated_id is not None}
        earlier = _read_originals(session, wanted) if wanted else {}
        if not earlier:
            break
        found = [_step_back(one, edits, earlier) for one, edits in found]
    return found


def _key(one: Submission, name: str) -> _Key:
    return one.is_draft, one.form_id, name


def _step_back(one: Submission, edits: int, earlier: dict[_Key, Submission]) -> tuple[Submission, int]:
    before = earlier.get(_key(one, one.deprecated_id or ""))
    return (before, edits + 1) if before is not None and before.id != one.id else (one, edits)


def _read_originals(session: Session, wanted: set[_Key]) -> dict[_Key, Submission]:
    drafts, forms, names = map(set, zip(*wanted, strict=True))
    query = select(Submission).where(
        Submission.form_id.in_(forms),
        Submission.instance_id.in_(names),
        Submission.is_draft.in_(drafts),
        Submission.twin_of_id.is_(None),
    )
    rows = session.scalars(query.options(defer(Submission.xml), joinedload(Submission.device)))
    return {_key(one, one.instance_id): one for one in rows}
