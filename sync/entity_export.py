"""A whole list as rows for a table, in batches, so that a million of them need no more memory than some hundreds.

The columns are those of ODK Central's entities.csv. What a spreadsheet must not calculate is the writer's business.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from sync.entity_browsing import EntityFilters, narrow_list
from sync.models import Actor, Device, Entity, EntityAct, EntityContribution, IssuedVersion, Submission
from sync.policy import Viewer, access, present_property

_AT_ONCE = 500
_BEFORE, _AFTER = ("__id", "label"), (
    "__createdAt", "__creatorId", "__creatorName", "__updates", "__updatedAt", "__version"
)  # fmt: skip
_ROW = (Entity.id, Entity.uuid, Entity.label, Entity.properties, Entity.version)


@dataclass(frozen=True, slots=True)
class _Past:
    """When an entity was first and last served, and who made it."""

    created_at: datetime
    updated_at: datetime
    creator: tuple[int, str] | None = None


def export_head(properties: Sequence[str]) -> list[str]:
    """The names of the columns, as ODK Central writes them."""
    return [*_BEFORE, *properties, *_AFTER]


def export_lines(
    session: Session, viewer: Viewer | None, list_name: str, properties: Sequence[str], filters: EntityFilters
) -> Iterator[list[object]]:
    """Yield a line for each entity that is there, by id; values as the viewer may see them, all without a viewer."""
    wanted = (
        narrow_list(session, viewer, list_name, filters).with_only_columns(*_ROW).order_by(None).order_by(Entity.uuid)
    )
    for rows in _batches(session, wanted):
        pasts = _read_pasts(session, [row.id for row in rows])
        for row in rows:
            yield _line(viewer, list_name, properties, row, pasts.get(row.id))


def _batches(session: Session, wanted: Select[*tuple[Any, ...]]) -> Iterator[Sequence[Row[*tuple[Any, ...]]]]:
    last = ""
    while rows := session.execute(wanted.where(Entity.uuid > last).limit(_AT_ONCE)).all():
        yield rows
        last = rows[-1].uuid


def _read_pasts(session: Session, ids: Sequence[int]) -> dict[int, _Past]:
    served = select(IssuedVersion.entity_id, func.min(IssuedVersion.issued_at), func.max(IssuedVersion.issued_at))
    found = session.execute(served.where(IssuedVersion.entity_id.in_(ids)).group_by(IssuedVersion.entity_id))
    creators = _read_creators(session, ids)
    return {row[0]: _Past(row[1], row[2], creators.get(row[0])) for row in found}


def _read_creators(session: Session, ids: Sequence[int]) -> Mapping[int, tuple[int, str]]:
    """Who made each entity: the tablet of the record that does so, or whoever did it without a form."""
    acted = select(EntityAct.entity_id, Actor.id, Actor.display_name).join(Actor, Actor.id == EntityAct.actor_id)
    acted = acted.where(EntityAct.entity_id.in_(ids), EntityAct.action == "create")
    said = (
        select(EntityContribution.entity_id, Actor.id, Actor.display_name)
        .join(Submission, Submission.id == EntityContribution.submission_id)
        .join(Device, Device.id == Submission.device_id)
        .join(Actor, Actor.id == Device.actor_id)
        .where(EntityContribution.entity_id.in_(ids), EntityContribution.counts)
        .where(EntityContribution.action != "update", EntityContribution.base_version.is_(None))
        .order_by(Submission.ended_at.desc(), Submission.instance_id.desc())
    )
    # Where several made it, the earliest record did: the last of them here.
    return {row[0]: (row[1], row[2]) for found in (acted, said) for row in session.execute(found)}


def _line(
    viewer: Viewer | None, list_name: str, properties: Sequence[str], row: Row[*tuple[Any, ...]], past: _Past | None
) -> list[object]:
    values = {**row.properties, "label": row.label}
    said = [_shown(viewer, list_name, name, values.get(name, "")) for name in ("label", *properties)]
    sees_creator = past is not None and (viewer is None or access(viewer, "D7").reads)
    creator = past.creator if past and sees_creator else None
    updates = max(row.version - 1, 0)
    updated_at = _moment(past.updated_at) if past and updates else ""
    created_at = _moment(past.created_at) if past else ""
    return [row.uuid, *said, created_at, *(creator or ("", "")), updates, updated_at, row.version]


def _shown(viewer: Viewer | None, list_name: str, name: str, value: str) -> str:
    return value if viewer is None else present_property(viewer, list_name, name, value).text


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
