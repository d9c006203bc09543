"""What is stored, judged once more after the engine or a list was mended: what would change, and its release.

Nothing is written before somebody has seen it; released records go the way of all others (processing.py).
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.encryption import PrivateKeys
from sync.attachments import AttachmentStore
from sync.judging import Verdict, Work, judge
from sync.models import Submission
from sync.processing import list_work
from sync.releasing import release_submission
from sync.states import decide_state

log = logging.getLogger(__name__)

# Reasons that come from a record's relatives, not from judging it.
_FAMILY_REASONS = frozenset({"twin", "stale_edit"})


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """What one finding is known by; the answer itself is not in it."""

    path: str
    kind: str
    grade: str
    code: str


@dataclass(frozen=True, slots=True)
class Change:
    """What judging a submission again would change. `after` is None where judging it broke."""

    submission_id: int
    instance_id: str
    before: str
    after: str | None
    added: Sequence[Mark] = ()
    removed: Sequence[Mark] = ()

    @property
    def is_one(self) -> bool:
        return self.before != self.after or bool(self.added or self.removed)


def list_judged(session: Session, form_id: str, version: str | None = None) -> Sequence[int]:
    """List what can be judged again: all that was judged, of a form or of one version of it."""
    query = select(Submission.id).where(
        Submission.form_id == form_id, Submission.processed_at.is_not(None), Submission.is_draft.is_(False)
    )
    return session.scalars(query.where(Submission.version == version) if version is not None else query).all()


def compare(
    session: Session, store: AttachmentStore, ids: Sequence[int], keys: PrivateKeys, now: datetime
) -> list[Change]:
    """Judge these submissions again and say what would change in each; writes nothing."""
    changes = [_compare_one(session, work, now) for work in list_work(session, store, ids, keys)]
    return [one for one in changes if one.is_one]


def release_changed(session: Session, ids: Collection[int], actor_id: int | None, now: datetime) -> int:
    """Put these submissions back into the work list; return how many. One that is there already is left alone."""
    query = select(Submission).where(Submission.id.in_(ids), Submission.processed_at.is_not(None))
    rows = session.scalars(query.with_for_update()).all()
    for row in rows:
        release_submission(session, row, "revalidated", actor_id, now)
    session.flush()
    return len(rows)


def _compare_one(session: Session, work: Work, now: datetime) -> Change:
    row = session.get_one(Submission, work.id)
    try:
        verdict = judge(work)
    except Exception as error:  # noqa: BLE001 (one record that breaks the engine must not hide what the others say)
        # The error's text may quote an answer; its type may not.
        log.error("judging submission %s again failed: %s", row.id, type(error).__name__)
        return Change(row.id, row.instance_id, row.state, None)
    known = {Mark(one.path, one.kind, one.grade, one.code) for one in row.findings}
    found = {Mark(one.path, one.kind, one.grade, one.code) for one in verdict.findings}
    after = _decide(row, verdict, now)
    return Change(row.id, row.instance_id, row.state, after, sorted(found - known), sorted(known - found))


def _decide(row: Submission, verdict: Verdict, now: datetime) -> str:
    """The state that would follow: what a person or the record's relatives said stays as it is."""
    facts = Submission(
        decision=row.decision,
        waits_for=row.waits_for,
        superseded_by_id=row.superseded_by_id,
        missing_files=row.missing_files,
        locked=verdict.locked,
        reason=verdict.reason or (row.reason if row.reason in _FAMILY_REASONS else None),
        error_count=verdict.error_count,
        processed_at=now,
    )
    return decide_state(facts)
