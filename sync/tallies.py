"""How many records forms have and entities lists hold, and since when, as far as a viewer may know of them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sync.entity_records import EntityPage, select_entities
from sync.heads import is_head
from sync.models import Entity, IssuedVersion, Submission
from sync.policy import Viewer
from sync.reviews import review_state_column
from sync.scopes import scope_submissions


@dataclass(frozen=True, slots=True)
class FormTally:
    """The records of a form, each once with all its edits; some of them by review state."""

    records: int = 0
    last_at: datetime | None = None  # when the newest record or edit came
    received: int = 0
    has_issues: int = 0
    edited: int = 0


@dataclass(frozen=True, slots=True)
class ListTally:
    """The entities of a list that stand."""

    entities: int
    last_at: datetime | None  # when the newest came to be
    conflicts: int  # how many entities have one


def tally_forms(
    session: Session, viewer: Viewer, form_ids: Collection[str], *, draft: bool = False
) -> dict[str, FormTally]:
    """Count the records of these forms, or the tests of their drafts; a form without any is left out."""
    state = review_state_column()
    counted = select(
        Submission.form_id,
        func.count(),
        func.max(Submission.received_at),
        func.count().filter(state.is_(None)),
        func.count().filter(state == "hasIssues"),
        func.count().filter(state == "edited"),
    ).where(Submission.form_id.in_(form_ids), is_head(draft=draft))
    rows = session.execute(scope_submissions(counted, viewer).group_by(Submission.form_id))
    return {row[0]: FormTally(*row[1:]) for row in rows}


def tally_list(session: Session, viewer: Viewer, name: str) -> ListTally:
    """Count the entities of a list."""
    standing = select_entities(viewer, name, EntityPage())
    counted = standing.with_only_columns(func.count(), func.count().filter(Entity.open_conflicts > 0))
    entities, conflicts = session.execute(counted).one()
    newest = standing.with_only_columns(func.max(Entity.id)).scalar_subquery()
    last = select(func.min(IssuedVersion.issued_at)).where(IssuedVersion.entity_id == newest)
    return ListTally(entities, session.scalar(last), conflicts)
