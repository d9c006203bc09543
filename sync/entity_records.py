"""Entities as programs read them: who made them and when, their versions, their values in pages of a constant size."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import Session, aliased

from sync.entity_browsing import list_exportable_properties, list_properties
from sync.merge import LABEL
from sync.models import (
    Actor,
    AuditEvent,
    Device,
    Entity,
    EntityAct,
    EntityContribution,
    EntityList,
    FormVersion,
    IssuedVersion,
    Submission,
    SubmissionSender,
)
from sync.policy import Viewer, present_property
from sync.publishing import get_definition, list_open_versions
from sync.record_filters import Named
from sync.scopes import scope_entities

CHUNK = 500


@dataclass(frozen=True, slots=True)
class EntityRecord:
    """One entity with what its versions tell; `label` and `values` are only what the viewer reads plainly."""

    id: int
    uuid: str
    label: str
    values: dict[str, str]
    version: int
    created_at: datetime | None
    changed_at: datetime | None
    deleted_at: datetime | None
    creator_id: int | None
    creator_name: str | None
    conflicts: int

    @property
    def updated_at(self) -> datetime | None:
        return self.changed_at if self.version > 1 else None

    @property
    def conflict(self) -> str | None:
        return "hard" if self.conflicts else None


@dataclass(frozen=True, slots=True)
class EntityPage:
    """Which entities are asked for, the newest first; deleted ones instead of those that stand, with `deleted`."""

    condition: ColumnElement[bool] | None = None
    order: Sequence[ColumnElement[Any]] = ()
    before_id: int | None = None
    offset: int = 0
    limit: int | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class ListFacts:
    """An entity list, and by property the forms that save to it."""

    name: str
    created_at: datetime | None
    properties: dict[str, list[str]]


def describe_list(session: Session, name: str) -> ListFacts:
    """What there is to say of a list; forms count in the versions that tablets are given."""
    found: dict[str, list[str]] = {one: [] for one in list_properties(session, name)}
    for version in list_open_versions(session):
        for declared in get_definition(session, version).entities:
            if declared.list_name == name:
                for saved, _path in declared.save_to:
                    found.setdefault(saved, []).append(version.form.form_id)
    return ListFacts(name, _created_at(session, name), found)


def list_readable_properties(session: Session, viewer: Viewer, name: str, *, export: bool = False) -> list[str]:
    """The properties that the viewer reads plainly; with `export` those that they may take out of the server."""
    found = list_exportable_properties(session, viewer, name) if export else list_properties(session, name)
    return [one for one in found if present_property(viewer, name, one, "x").kind == "shown"]


def name_entity_columns(viewer: Viewer, list_name: str, properties: Iterable[str]) -> dict[str, Named]:
    """What a filter may ask for: Central's metadata, these properties, and the label where the viewer reads it."""
    created = select(IssuedVersion.issued_at).where(IssuedVersion.entity_id == Entity.id, IssuedVersion.number == 1)
    changed = select(func.max(IssuedVersion.issued_at)).where(IssuedVersion.entity_id == Entity.id)
    named = {
        "__id": Named("text", Entity.uuid),
        "__system/createdAt": Named("moment", created.scalar_subquery()),
        "__system/updatedAt": Named("moment", case((Entity.version > 1, changed.scalar_subquery()), else_=None)),
        "__system/creatorId": Named("number", _creator_column()),
        "__system/conflict": Named("text", case((Entity.open_conflicts > 0, "hard"), else_=None)),
        "__system/deletedAt": Named("moment", Entity.deleted_at),
    }
    if present_property(viewer, list_name, LABEL, "x").kind == "shown":
        named[LABEL] = Named("text", Entity.label)
    return named | {one: Named("text", Entity.properties[one].as_string()) for one in properties}


def select_entities(viewer: Viewer, name: str, page: EntityPage) -> Select[Entity]:
    """The entities that fit, wherever the page begins."""
    found = scope_entities(select(Entity), viewer, name)
    found = found.where(Entity.deleted_at.is_not(None) if page.deleted else Entity.exists)
    return found.where(page.condition) if page.condition is not None else found


def count_entities(session: Session, viewer: Viewer, name: str, page: EntityPage) -> int:
    """How many fit."""
    return session.scalar(select(func.count()).select_from(select_entities(viewer, name, page).subquery())) or 0


def read_entities(
    session: Session, viewer: Viewer, name: str, properties: Sequence[str], page: EntityPage
) -> Iterator[list[EntityRecord]]:
    """The page's entities in chunks; memory does not grow with their number."""
    left, before, offset = page.limit, page.before_id, page.offset
    while left is None or left > 0:
        size = CHUNK if left is None else min(left, CHUNK)
        found = select_entities(viewer, name, page)
        if before is not None and not page.order:
            found = found.where(Entity.id < before)
        rows = session.scalars(found.order_by(*page.order, Entity.id.desc()).offset(offset).limit(size)).all()
        if rows:
            yield make_records(session, viewer, rows, properties)
        if len(rows) < size:
            return
        left = left - len(rows) if left is not None else None
        before, offset = (rows[-1].id, 0) if not page.order else (None, offset + len(rows))
        session.expunge_all()


def make_records(
    session: Session, viewer: Viewer, entities: Sequence[Entity], properties: Sequence[str]
) -> list[EntityRecord]:
    """What programs are told of these entities."""
    ids = [one.id for one in entities]
    owner = IssuedVersion.entity_id
    span = select(owner, func.min(IssuedVersion.issued_at), func.max(IssuedVersion.issued_at)).where(owner.in_(ids))
    issued = {one[0]: (one[1], one[2]) for one in session.execute(span.group_by(owner))}
    creators = _find_creators(session, ids)
    return [
        _make_record(viewer, one, properties, issued.get(one.id, (None, None)), creators.get(one.id, (None, None)))
        for one in entities
    ]


def _make_record(
    viewer: Viewer,
    one: Entity,
    properties: Sequence[str],
    issued: tuple[datetime | None, datetime | None],
    creator: tuple[int | None, str | None],
) -> EntityRecord:
    return EntityRecord(
        id=one.id,
        uuid=one.uuid,
        label=show_label(viewer, one.list_name, one.label),
        values={name: str(one.properties[name]) for name in properties if one.properties.get(name) is not None},
        version=one.version,
        created_at=issued[0],
        changed_at=issued[1],
        deleted_at=one.deleted_at,
        creator_id=creator[0],
        creator_name=creator[1],
        conflicts=one.open_conflicts,
    )


def show_label(viewer: Viewer, list_name: str, label: str) -> str:
    """The label if the viewer reads it plainly, else nothing."""
    shown = present_property(viewer, list_name, LABEL, label)
    return shown.text if shown.kind == "shown" else ""


def _creator_column() -> Any:
    act = aliased(EntityAct)
    acted = select(act.actor_id).where(act.entity_id == Entity.id, act.action == "create").limit(1).scalar_subquery()
    said = (
        select(func.coalesce(Device.actor_id, SubmissionSender.actor_id))
        .select_from(EntityContribution)
        .join(Submission, Submission.id == EntityContribution.submission_id)
        .outerjoin(Device, Device.id == Submission.device_id)
        .outerjoin(SubmissionSender, SubmissionSender.submission_id == Submission.id)
        .where(EntityContribution.entity_id == Entity.id, EntityContribution.action == "create")
        .order_by(EntityContribution.id)
        .limit(1)
        .scalar_subquery()
    )
    return func.coalesce(acted, said)


def _find_creators(session: Session, ids: Sequence[int]) -> dict[int, tuple[int | None, str | None]]:
    made = select(Entity.id, _creator_column().label("actor_id")).where(Entity.id.in_(ids)).subquery()
    query = select(made.c.id, made.c.actor_id, Actor.display_name).outerjoin(Actor, Actor.id == made.c.actor_id)
    return {one[0]: (one[1], one[2]) for one in session.execute(query)}


def _created_at(session: Session, name: str) -> datetime | None:
    """When somebody made the list, else when the first form was published."""
    list_id = session.scalar(select(EntityList.id).where(EntityList.name == name))
    added = select(func.min(AuditEvent.at)).where(
        AuditEvent.action == "entity_list.added", AuditEvent.target == f"entity_list:{list_id}"
    )
    first = session.scalar(added) or session.scalar(select(func.min(FormVersion.published_at)))
    return first or session.scalar(select(func.min(Actor.created_at)))
