"""Entities of `/v1`: listed, made one by one or by the thousand, changed, deleted, with their versions."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import orjson
from flask import Response, jsonify
from flask.typing import ResponseReturnValue
from marshmallow import fields
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.permissions import note_reading, permission
from server.accounts.sessions import current_viewer
from server.extensions import db
from server.rest.datasets import DATASET, get_list
from server.rest.extended import AUDIT, ENTITY_VERSION
from server.rest.extended import ENTITY as ENTITY_MORE
from server.rest.problems import Problem
from server.rest.queries import Flag, PageQuery, Text
from server.rest.shapes import (
    AuditShape,
    ChangeShape,
    Counted,
    Done,
    EntityChange,
    EntityShape,
    EntityVersionShape,
    Named,
    NewEntities,
    NewEntityShape,
    Shape,
)
from server.rest.speech import JSON, More, answers, asks, blueprint, gather, is_extended, takes, writes
from sync.entity_acts import NewEntity, add_entities, change_entity, delete_entity, restore_entity
from sync.entity_browsing import find_entity
from sync.entity_decisions import conflict_token, decide_conflict
from sync.entity_records import (
    EntityPage,
    EntityRecord,
    list_readable_properties,
    make_records,
    read_entities,
    show_label,
)
from sync.merge import LABEL
from sync.models import Entity, EntityAct, EntityContribution, IssuedVersion
from sync.policy import Viewer

ENTITIES = f"{DATASET}/entities"
ENTITY = f"{ENTITIES}/<segment:uuid>"
_ACTIONS = {
    "create": "entity.create", "update": "entity.update.version", "delete": "entity.delete",
    "restore": "entity.restore",
}  # fmt: skip


class ChangeQuery(Shape):
    base_version = Text("The version that the change is made to; another one by now is left as it is.")
    force = Flag("true: whatever the version is by now.")
    resolve = Flag("true: what contradicts each other is settled by this change.")


@blueprint.get(ENTITIES)
@permission("entities.read")
@answers(EntityShape, many=True, more=ENTITY_MORE)
@asks(PageQuery)
def entities(list_name: str, asked: dict[str, Any]) -> Any:
    name, viewer = get_list(list_name), current_viewer()
    note_reading("entities.listed", f"entity_list:{name}")
    page = EntityPage(**asked)
    more = ENTITY_MORE if is_extended() else None
    return Response(gather(_write_list(Session(db.engine), viewer, name, page, more)), mimetype="application/json")


def _write_list(session: Session, viewer: Viewer, name: str, page: EntityPage, more: More | None) -> Iterator[bytes]:
    """A JSON array that is written while it is read: a list may have a million entities."""
    yield b"["
    comma = b""
    with session:
        for chunk in read_entities(session, viewer, name, (), page):
            rows = [_show(one) for one in chunk]
            told = EntityShape(many=True).dump(rows)
            if more is not None:
                more.add(session, viewer, rows, told)
            for one in told:
                yield comma + orjson.dumps(one)
                comma = b","
    yield b"]"


@blueprint.post(ENTITIES)
@permission("entities.change")
@writes(JSON, form=(EntityShape, Done))
@takes(NewEntities, NewEntityShape)
def create_entities(list_name: str, body: dict[str, Any]) -> ResponseReturnValue:
    """One entity, which is answered, or many, which are all made or none."""
    name, actor_id, now = get_list(list_name), current_viewer().actor_id, datetime.now(UTC)
    new = [_make(one) for one in body.get("entities", [body])]
    if not new:
        raise Problem(400.31, expected=["entities: [...]"], actual=[])
    uuids = add_entities(db.session(), name, new, actor_id, now)
    if "entities" in body:
        return jsonify(Done().dump({}))
    return jsonify(EntityShape().dump(_show_whole(get_entity(name, uuids[0]))))


@blueprint.get(ENTITY)
@permission("entities.read")
@answers(EntityShape, more=ENTITY_MORE)
def entity(list_name: str, uuid: str) -> Any:
    found = get_entity(get_list(list_name), uuid)
    note_reading("entity.read", f"entity:{found.id}")
    return _show_whole(found)


@blueprint.patch(ENTITY)
@permission("entities.change")
@answers(EntityShape)
@takes(EntityChange)
@asks(ChangeQuery)
def update_entity(list_name: str, uuid: str, body: dict[str, Any], asked: dict[str, Any]) -> Any:
    name, now = get_list(list_name), datetime.now(UTC)
    found = get_entity(name, uuid)
    _check_version(found, asked)
    if asked["resolve"] and not found.open_conflicts:
        raise Problem(400.32)
    if body["label"] is not None or body["data"] or not asked["resolve"]:
        base, by = None if asked["force"] else found.version, current_viewer().actor_id
        change_entity(db.session(), name, found.uuid, body["label"], body["data"] or {}, base, by, now)
    if asked["resolve"]:
        _resolve(get_entity(name, uuid), now)
    return _show_whole(get_entity(name, uuid))


@blueprint.delete(ENTITY)
@permission("entities.change")
@answers(Done)
def remove_entity(list_name: str, uuid: str) -> Any:
    found = get_entity(get_list(list_name), uuid)
    delete_entity(db.session(), found.list_name, found.uuid, current_viewer().actor_id, datetime.now(UTC))
    return {}


@blueprint.post(f"{ENTITY}/restore")
@permission("entities.change")
@answers(Done)
def bring_back_entity(list_name: str, uuid: str) -> Any:
    found = get_entity(get_list(list_name), uuid, deleted=True)
    restore_entity(db.session(), found.list_name, found.uuid, current_viewer().actor_id, datetime.now(UTC))
    return {}


@blueprint.post(f"{ENTITIES}/bulk-delete")
@permission("entities.change")
@answers(Counted)
@takes(Named)
def remove_entities(list_name: str, body: dict[str, Any]) -> Any:
    return _change_many(list_name, body["ids"], delete_entity, deleted=False)


@blueprint.post(f"{ENTITIES}/bulk-restore")
@permission("entities.change")
@answers(Counted)
@takes(Named)
def bring_back_entities(list_name: str, body: dict[str, Any]) -> Any:
    return _change_many(list_name, body["ids"], restore_entity, deleted=True)


def _change_many(list_name: str, ids: list[str], change: Callable[..., object], *, deleted: bool) -> dict[str, int]:
    """Change those of the named entities that the caller may know of and that stand so, and say how many they were."""
    name, viewer = get_list(list_name), current_viewer()
    found = [find_entity(db.session(), viewer, name, one.removeprefix("uuid:")) for one in dict.fromkeys(ids)]
    standing = [one for one in found if one is not None and (one.deleted_at if deleted else one.exists)]
    for one in standing:
        change(db.session(), name, one.uuid, viewer.actor_id, datetime.now(UTC))
    return {"count": len(standing)}


@blueprint.get(f"{ENTITY}/versions")
@permission("entities.read")
@answers(EntityVersionShape, many=True, more=ENTITY_VERSION)
def entity_versions(list_name: str, uuid: str) -> Any:
    found = get_entity(get_list(list_name), uuid)
    note_reading("entity.read", f"entity:{found.id}")
    return _list_versions(found)


@blueprint.get(f"{ENTITY}/diffs")
@permission("entities.read")
@writes(JSON, form=fields.List(fields.List(fields.Nested(ChangeShape))))
def entity_differences(list_name: str, uuid: str) -> ResponseReturnValue:
    found = get_entity(get_list(list_name), uuid)
    note_reading("entity.read", f"entity:{found.id}")
    told = [{"label": one["label"], **one["data"]} for one in _list_versions(found)]
    return jsonify([_compare(old, new) for old, new in pairwise(told)])


@blueprint.get(f"{ENTITY}/audits")
@permission("entities.read")
@answers(AuditShape, many=True, more=AUDIT)
def entity_audits(list_name: str, uuid: str) -> Any:
    found = get_entity(get_list(list_name), uuid)
    acts = select(EntityAct).where(EntityAct.entity_id == found.id).order_by(EntityAct.id.desc())
    said = (
        select(EntityContribution)
        .where(EntityContribution.entity_id == found.id)
        .order_by(EntityContribution.id.desc())
    )
    told = [_tell(one.action, one.actor_id, one.acted_at, found) for one in db.session.scalars(acts)]
    told += [_tell(one.action, None, one.submission.received_at, found) for one in db.session.scalars(said)]
    return sorted(told, key=lambda one: one["at"], reverse=True)


def get_entity(list_name: str, uuid: str, *, deleted: bool = False) -> Entity:
    """The entity, if the caller may know of it and it stands, or with `deleted` is deleted."""
    found = find_entity(db.session(), current_viewer(), list_name, uuid.removeprefix("uuid:"))
    if found is None or not (found.deleted_at if deleted else found.exists):
        raise Problem(404.1)
    return found


def _check_version(found: Entity, asked: dict[str, Any]) -> None:
    given = asked["base_version"]
    if given != str(found.version) and not asked["force"]:
        raise Problem(409.15, current=str(found.version), provided=given or "")


def _make(told: dict[str, Any]) -> NewEntity:
    """Without a uuid it gets one."""
    given = {"uuid": told["uuid"]} if told["uuid"] is not None else {}
    return NewEntity(told["label"], told["data"] or {}, **given)


def _resolve(found: Entity, now: datetime) -> None:
    """Let the values stand that stand now: whoever asks has looked at them."""
    standing = {**found.properties, LABEL: found.label}
    for conflict in list(found.conflicts):
        name = conflict.property_name
        decide_conflict(
            db.session(), found, name, str(standing.get(name, "")), conflict_token(conflict),
            actor_id=current_viewer().actor_id, now=now,
        )  # fmt: skip


def _show(one: EntityRecord, data: dict[str, str] | None = None) -> dict[str, Any]:
    version = {
        "label": one.label, "current": True, "created_at": one.changed_at, "creator_id": one.creator_id or 0,
        "version": one.version, "base_version": one.version - 1 if one.version > 1 else None,
        **({"data": data} if data is not None else {}),
    }  # fmt: skip
    return {
        "uuid": one.uuid, "created_at": one.created_at, "updated_at": one.updated_at, "deleted_at": one.deleted_at,
        "creator_id": one.creator_id or 0, "conflict": one.conflict, "current_version": version,
    }  # fmt: skip


def _show_whole(found: Entity) -> dict[str, Any]:
    viewer = current_viewer()
    properties = list_readable_properties(db.session(), viewer, found.list_name)
    (one,) = make_records(db.session(), viewer, [found], properties)
    return _show(one, one.values)


def _list_versions(found: Entity) -> list[dict[str, Any]]:
    """What was served under each number, oldest first."""
    viewer = current_viewer()
    names = list_readable_properties(db.session(), viewer, found.list_name)
    rows = db.session.scalars(select(IssuedVersion).filter_by(entity_id=found.id).order_by(IssuedVersion.number))
    return [
        {
            "label": show_label(viewer, found.list_name, one.label),
            "data": {name: one.properties[name] for name in names if name in one.properties},
            "version": one.number, "base_version": one.number - 1 or None, "current": one.number == found.version,
            "created_at": one.issued_at, "creator_id": 0,
        }
        for one in rows
    ]  # fmt: skip


def _compare(old: dict[str, Any], new: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"propertyName": name, "old": old.get(name), "new": new.get(name)}
        for name in {**old, **new}
        if old.get(name) != new.get(name)
    ]


def _tell(action: str, actor_id: int | None, at: datetime, found: Entity) -> dict[str, Any]:
    entity = {"uuid": found.uuid, "dataset": found.list_name}
    return {
        "actor_id": actor_id, "action": _ACTIONS.get(action, f"entity.{action}"), "target": found.uuid,
        "details": {"entity": entity}, "at": at,
    }  # fmt: skip
