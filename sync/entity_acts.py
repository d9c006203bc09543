"""What people do to entity lists without a form: through the API, at the desk, as administrators.

An act is a fact of the same fold as what submissions say (entity_fold.py): tablets that did not see it lose nothing,
and it holds whatever comes later. Who may act is the caller's question.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from forms.declarations import LIST_NAME, PROPERTY_NAME
from forms.entities import read_uuid
from forms.errors import N_, FormsError
from sync import entity_rows as rows
from sync.audit import add_audit_event
from sync.branches import Contribution
from sync.db import add_rows
from sync.entity_facts import ActFacts
from sync.entity_fold import fold_whole, step_all
from sync.entity_lists import register_list
from sync.entity_state import EntityState
from sync.models import Entity, EntityAct, EntityList
from sync.policy import programme
from sync.registry import lock_registry
from sync.server_lists import SERVER_LISTS

_AT_ONCE = 1000
_RESERVED = {"name", "label"}
_DONE = {"update": "updated", "delete": "deleted", "restore": "restored"}


class EntityActRefused(FormsError):
    """An act that cannot be done. The message never tells what an entity says."""

    messages = {
        "entity_id": N_("An entity's id must be a UUID of version 4."),
        "entity_exists": N_("The list %(list)s already has an entity %(id)s."),
        "entity_unknown": N_("The list %(list)s has no entity %(id)s."),
        "entity_deleted": N_("The entity %(id)s of the list %(list)s was deleted. Restore it first."),
        "entity_not_deleted": N_("The entity %(id)s of the list %(list)s is not deleted."),
        "entity_version_stale": N_("The entity is at version %(version)s, and you saw version %(seen)s. Look again."),
        "entity_label_missing": N_("An entity needs a label."),
        "entity_list_unknown": N_("There is no entity list %(list)s."),
        "entity_list_exists": N_("There already is an entity list %(list)s."),
        "entity_list_name": N_("%(name)s cannot be the name of an entity list."),
        "entity_property_unknown": N_("The list %(list)s has no property %(name)s."),
        "entity_property_exists": N_("The list %(list)s already has a property %(name)s."),
        "entity_property_name": N_("%(name)s cannot be the name of a property."),
    }


@dataclass(frozen=True, slots=True)
class NewEntity:
    """An entity to be made. Without a uuid it gets one."""

    label: str
    values: Mapping[str, str] = field(default_factory=dict)
    uuid: str = field(default_factory=lambda: str(uuid4()))


def add_entity_list(session: Session, name: str, actor_id: int | None, now: datetime) -> EntityList:
    """Make a list that no form declares yet, or raise EntityActRefused."""
    if not LIST_NAME.match(name) or f"{name.lower()}.csv" in SERVER_LISTS:
        raise EntityActRefused("entity_list_name", name=name)
    lock_registry(session)
    # A tablet keeps lists as tables and properties as columns: their names must differ by more than their case.
    known = session.scalar(select(EntityList.name).where(func.lower(EntityList.name) == name.lower()))
    if known is not None:
        raise EntityActRefused("entity_list_exists", list=known)
    made = register_list(session, name, ())
    add_audit_event(session, actor_id, "entity_list.added", f"entity_list:{made.id}", now)
    return made


def add_property(session: Session, list_name: str, name: str, actor_id: int | None, now: datetime) -> EntityList:
    """Give a list a property that no form saves to yet, or raise EntityActRefused."""
    if not PROPERTY_NAME.match(name) or name.lower() in _RESERVED:
        raise EntityActRefused("entity_property_name", name=name)
    lock_registry(session)
    kept = _get_list(session, list_name)
    known = next((one for one in kept.properties if one.lower() == name.lower()), None)
    if known is not None:
        raise EntityActRefused("entity_property_exists", list=list_name, name=known)
    register_list(session, list_name, [name])
    add_audit_event(session, actor_id, "entity_list.property_added", f"entity_list:{kept.id}", now, property=name)
    return kept


def add_entities(
    session: Session, list_name: str, new: Iterable[NewEntity], actor_id: int | None, now: datetime
) -> list[str]:
    """Make entities, as many as there are, all or none; return their ids, or raise EntityActRefused.

    An id whose creation has not arrived or was rejected is free; one that was deleted is not.
    """
    lock_registry(session)
    known = _known_properties(_get_list(session, list_name))
    wanted = [_check_new(one, list_name, known) for one in new]
    _refuse_repeats(wanted, list_name)
    for start in range(0, len(wanted), _AT_ONCE):
        _add_batch(session, list_name, wanted[start : start + _AT_ONCE], actor_id, now)
    session.expire_all()
    add_audit_event(session, actor_id, "entity.created", f"entity_list:{list_name}", now, count=len(wanted))
    return [one.uuid for one in wanted]


def change_entity(
    session: Session,
    list_name: str,
    uuid: str,
    label: str | None,
    values: Mapping[str, str],
    base_version: int | None,
    actor_id: int | None,
    now: datetime,
) -> Entity:
    """Write values, and the label unless it is None, over what `base_version` served, or raise EntityActRefused.

    Without a base version it is written over whatever the entity says now.
    """
    entity = _get_entity(session, list_name, uuid)
    if entity.deleted_at is not None:
        raise EntityActRefused("entity_deleted", list=list_name, id=uuid)
    if base_version is not None and base_version != entity.version:
        raise EntityActRefused("entity_version_stale", version=entity.version, seen=base_version)
    if label is not None and not label.strip():
        raise EntityActRefused("entity_label_missing")
    _check_values(values, list_name, _known_properties(_get_list(session, list_name)))
    return _act(session, entity, "update", actor_id, now, label, _clean(values))


def delete_entity(session: Session, list_name: str, uuid: str, actor_id: int | None, now: datetime) -> Entity:
    """Take an entity from every list, whatever tablets still send about it, until it is restored."""
    entity = _get_entity(session, list_name, uuid)
    if entity.deleted_at is not None:
        raise EntityActRefused("entity_deleted", list=list_name, id=uuid)
    return _act(session, entity, "delete", actor_id, now)


def restore_entity(session: Session, list_name: str, uuid: str, actor_id: int | None, now: datetime) -> Entity:
    """Take a deletion back: the entity says all that was sent about it, also what came meanwhile."""
    entity = _get_entity(session, list_name, uuid)
    if entity.deleted_at is None:
        raise EntityActRefused("entity_not_deleted", list=list_name, id=uuid)
    return _act(session, entity, "restore", actor_id, now)


def _find_list(session: Session, name: str) -> EntityList | None:
    return session.scalar(select(EntityList).where(EntityList.name == name))


def _get_list(session: Session, name: str) -> EntityList:
    found = _find_list(session, name)
    if found is None:
        raise EntityActRefused("entity_list_unknown", list=name)
    return found


def _get_entity(session: Session, list_name: str, uuid: str) -> Entity:
    """The entity as it stands now, and as nobody changes it before this transaction ends."""
    lock_registry(session)
    named = select(Entity).where(Entity.list_name == list_name, Entity.uuid == uuid.lower().removeprefix("uuid:"))
    entity = session.scalar(named.execution_options(populate_existing=True))
    if entity is None or not (entity.exists or entity.deleted_at):
        raise EntityActRefused("entity_unknown", list=list_name, id=uuid)
    return entity


def _known_properties(kept: EntityList) -> set[str]:
    return {*kept.properties, *programme().policy_for_list(kept.name).properties}


def _check_new(one: NewEntity, list_name: str, known: set[str]) -> NewEntity:
    plain = read_uuid(one.uuid, "entity_id", [])
    if plain is None:
        raise EntityActRefused("entity_id")
    if not one.label.strip():
        raise EntityActRefused("entity_label_missing")
    _check_values(one.values, list_name, known)
    return NewEntity(one.label.replace("\0", ""), _clean(one.values), plain)


def _check_values(values: Mapping[str, str], list_name: str, known: set[str]) -> None:
    for name in values:
        if name not in known:
            raise EntityActRefused("entity_property_unknown", list=list_name, name=name)


def _clean(values: Mapping[str, str]) -> dict[str, str]:
    # PostgreSQL keeps no zero byte in a text.
    return {name: value.replace("\0", "") for name, value in values.items()}


def _refuse_repeats(wanted: Sequence[NewEntity], list_name: str) -> None:
    seen = set[str]()
    for one in wanted:
        if one.uuid in seen:
            raise EntityActRefused("entity_exists", list=list_name, id=one.uuid)
        seen.add(one.uuid)


def _add_batch(
    session: Session, list_name: str, batch: Sequence[NewEntity], actor_id: int | None, now: datetime
) -> None:
    known, slot = rows.read_states(session, [(list_name, one.uuid) for one in batch]), rows.read_slot(session)
    acts, writes, left = [], [], []
    for one in batch:
        act = _act_row("create", one.label, one.values, None, actor_id, now)
        entity_id, before = known.get((list_name, one.uuid), (None, EntityState(list_name, one.uuid)))
        if before.exists or before.deleted_at:
            code = "entity_deleted" if before.deleted_at else "entity_exists"
            raise EntityActRefused(code, list=list_name, id=one.uuid)
        stepped = step_all(before, [(_read(act), True)], slot)
        writes.append(rows.Write(entity_id, before, *(stepped or (before, []))))
        acts.append(act)
        left += [one.uuid] if stepped is None else []
    ids = rows.write_states(session, writes, now)
    placed = [{"entity_id": ids[list_name, one.uuid], **act} for one, act in zip(batch, acts, strict=True)]
    add_rows(session.connection(), EntityAct, placed)
    fold_whole(session, [ids[list_name, uuid] for uuid in left], now)


def _act(
    session: Session,
    entity: Entity,
    action: str,
    actor_id: int | None,
    now: datetime,
    label: str | None = None,
    values: Mapping[str, str] | None = None,
) -> Entity:
    row = _act_row(action, label, values or {}, entity.version, actor_id, now)
    add_rows(session.connection(), EntityAct, [{"entity_id": entity.id, **row}])
    fold_whole(session, [entity.id], now)
    session.expire(entity)
    add_audit_event(
        session, actor_id, f"entity.{_DONE[action]}", f"entity:{entity.id}", now, properties=sorted(values or ())
    )
    return entity


def _read(row: Mapping[str, Any]) -> Contribution:
    names = ("uuid", "action", "base_version", "label", "properties", "acted_at")
    return ActFacts(0, **{name: row[name] for name in names}).read()


def _act_row(
    action: str,
    label: str | None,
    values: Mapping[str, str],
    base_version: int | None,
    actor_id: int | None,
    now: datetime,
) -> dict[str, Any]:
    return {
        "uuid": str(uuid4()),
        "action": action,
        "label": label,
        "properties": dict(values),
        "base_version": base_version,
        "actor_id": actor_id,
        "acted_at": now,
    }
