"""Entities as a fold over the contributions of counting submissions, made anew when a family of records changes.

Which record of a family counts is families.py's word; order and waiting are branches.py's, values are merge.py's.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, func, insert, select
from sqlalchemy.orm import Session, joinedload

from forms.entities import EntityChange
from forms.programme import ListPolicy
from sync.branches import Contribution, Graph, read_graph
from sync.families import Standing
from sync.merge import LABEL, Merged, merge_entity
from sync.models import Entity, EntityConflict, EntityContribution, IssuedVersion, Submission
from sync.policy import programme


def fold_entities(
    session: Session,
    submission: Submission,
    changes: Iterable[EntityChange],
    standings: Mapping[int, Standing],
    now: datetime,
) -> None:
    """Keep what the submission says about entities and fold anew all that its family touches or touched.

    What does not count is kept too: whatever an update's fate, its tablet must be served a version as high as its own.
    """
    if submission.is_draft:
        return
    mine = EntityContribution.submission_id.in_(list(standings))
    before = session.scalars(select(EntityContribution).where(mine)).all()
    touched = {row.entity_id for row in before}
    touched |= _keep_changes(session, submission, changes, [one for one in before if one.submission is submission])
    for row in session.scalars(select(EntityContribution).where(mine)):
        standing = standings[row.submission_id]
        row.root_id, row.counts = standing.root_id, standing.counts and row.problem is None
    session.flush()
    _fold_all(session, touched, now)


def list_contributors(session: Session, ids: Sequence[int]) -> set[int]:
    """Tell which of these submissions said something about entities when they were last judged."""
    mine = select(EntityContribution.submission_id).where(EntityContribution.submission_id.in_(ids))
    return set(session.scalars(mine))


def has_overdue(session: Session, days: int, now: datetime) -> bool:
    """Whether anything has waited for too long; reads only, so that nobody waits for the write lock in vain."""
    return session.scalars(_overdue(days, now).limit(1)).first() is not None


def force_overdue(session: Session, days: int, now: datetime) -> int:
    """Apply, with a flag, what has waited for too long; when the missing one comes after all, it is folded in order.

    The caller holds the registry's lock (registry.lock_registry).
    """
    rows = session.scalars(_overdue(days, now)).all()
    for row in rows:
        row.forced_at = now
    session.flush()
    _fold_all(session, {row.entity_id for row in rows}, now)
    return len(rows)


def _overdue(days: int, now: datetime) -> Select[EntityContribution]:
    late = Submission.received_at < now - timedelta(days=days)
    waiting = select(EntityContribution).join(EntityContribution.submission)
    return waiting.where(EntityContribution.waits_for.is_not(None), late)


def entity_lines(session: Session) -> Iterable[str]:
    """One line per entity for the registry's digest: its values and open conflicts, no row ids and no numbers."""
    for entity in session.scalars(select(Entity).where(Entity.exists)):
        conflicts = {one.property_name: one.candidates for one in entity.conflicts}
        facts = [entity.list_name, entity.uuid, entity.label, entity.properties, conflicts]
        yield json.dumps({"entity": facts}, sort_keys=True, ensure_ascii=False)


def _keep_changes(
    session: Session, submission: Submission, changes: Iterable[EntityChange], before: Sequence[EntityContribution]
) -> set[int]:
    """Write anew what the submission says; that it was forced once stays with the place in the record."""
    forced = {(one.list_name, one.path): one.forced_at for one in before}
    for row in before:
        session.delete(row)
    session.flush()
    kept = [
        _contribution_row(_get_entity(session, one), submission, one, forced.get((one.list_name, one.path)))
        for one in sorted(changes, key=lambda one: (one.list_name, one.id))
        if one.id
    ]
    session.add_all(kept)
    session.flush()
    return {row.entity_id for row in kept}


def _contribution_row(
    entity: Entity, submission: Submission, change: EntityChange, forced_at: datetime | None
) -> EntityContribution:
    return EntityContribution(
        entity_id=entity.id,
        submission=submission,
        list_name=change.list_name,
        path=change.path,
        root_id=submission.instance_id,
        action=change.action,
        base_version=change.base_version,
        trunk_version=change.trunk_version,
        branch_id=change.branch_id,
        label=change.label,
        properties=dict(change.values),
        problem=change.problems[0] if change.problems else None,
        forced_at=forced_at,
    )


def _get_entity(session: Session, change: EntityChange) -> Entity:
    query = select(Entity).where(Entity.list_name == change.list_name, Entity.uuid == change.id)
    entity = session.scalar(query)
    if entity is None:
        entity = Entity(list_name=change.list_name, uuid=change.id, properties={})
        session.add(entity)
        session.flush()
    return entity


def _fold_all(session: Session, ids: set[int], now: datetime) -> None:
    # Locked in one order, so that workers never cross.
    query = select(Entity).where(Entity.id.in_(ids)).order_by(Entity.id).with_for_update()
    for entity in session.scalars(query.execution_options(populate_existing=True)).all():
        _fold(session, entity, now)
    session.flush()


def _fold(session: Session, entity: Entity, now: datetime) -> None:
    rows = _list_contributions(session, entity)
    graph = read_graph([_read(row) for row in rows if row.counts], _read_issued(session, entity))
    policy = programme().policy_for_list(entity.list_name)
    merged = merge_entity(graph, policy.merge_policy)
    for row in rows:
        row.waits_for = graph.held.get(_key(row)) if row.counts else None
    before = (entity.exists, entity.label, entity.properties)
    _write_state(entity, graph, merged, policy)
    _write_conflicts(session, entity, merged)
    _issue(session, entity, graph, rows, changed=before != (entity.exists, entity.label, entity.properties), now=now)


def _list_contributions(session: Session, entity: Entity) -> Sequence[EntityContribution]:
    query = select(EntityContribution).where(EntityContribution.entity_id == entity.id)
    return session.scalars(query.options(joinedload(EntityContribution.submission))).all()


def _key(row: EntityContribution) -> str:
    return f"{row.submission.form_id} {row.root_id} {row.path}"


def _read(row: EntityContribution) -> Contribution:
    # A blank label leaves the old one (ODK Entities spec, "label").
    label = {LABEL: row.label} if row.label else {}
    return Contribution(
        key=_key(row),
        instance_id=row.submission.instance_id,
        ended_at=row.submission.ended_at,
        creates=row.action != "update",
        # A creation is based on nothing, whatever a form writes beside it.
        base_version=None if row.action == "create" else row.base_version,
        trunk_version=row.trunk_version,
        branch_id=row.branch_id,
        values={**row.properties, **label},
        forced=row.forced_at is not None,
    )


def _read_issued(session: Session, entity: Entity) -> dict[int, frozenset[str]]:
    query = select(IssuedVersion.number, IssuedVersion.contributions).where(IssuedVersion.entity_id == entity.id)
    return {number: frozenset(inside) for number, inside in session.execute(query)}


def _write_state(entity: Entity, graph: Graph, merged: Merged, policy: ListPolicy) -> None:
    entity.exists = bool(graph.order)
    entity.label, entity.properties = merged.label, dict(merged.values)
    entity.site_code = merged.values.get(policy.site_property, "")[:255]
    # A blank site matches nobody, so such a row is served to nobody.
    closed = merged.values.get(policy.state_property, "") in policy.closed
    entity.is_open = entity.exists and not closed and bool(entity.site_code)


def _write_conflicts(session: Session, entity: Entity, merged: Merged) -> None:
    session.execute(delete(EntityConflict).where(EntityConflict.entity_id == entity.id))
    rows = [
        {"entity_id": entity.id, "property_name": name, "candidates": [list(one) for one in candidates]}
        for name, candidates in merged.conflicts.items()
    ]
    if rows:
        session.execute(insert(EntityConflict), rows)
    session.expire(entity, ["conflicts"])


def _issue(
    session: Session,
    entity: Entity,
    graph: Graph,
    rows: Sequence[EntityContribution],
    *,
    changed: bool,
    now: datetime,
) -> None:
    """Give what is served from now on a number of its own, at least as high as any tablet holds.

    Collect keeps its own row for as long as its local version is higher. An update makes it one above its base.
    """
    last = _last_number(session, entity)
    held_by_tablets = max((row.base_version or 0) + 1 for row in rows) if rows else 0
    number = max(last + 1 if changed else last, held_by_tablets if entity.exists or last else 0)
    # Number 1 means the creation alone, on every server: branches that begin offline rely on it.
    if number == 1 and not last and [one.begins for one in graph.order] != [True]:
        number = 2
    entity.version = number
    if number > last:
        inside = sorted(one.key for one in graph.order)
        facts = {"label": entity.label, "properties": dict(entity.properties), "contributions": inside}
        row = {"entity_id": entity.id, "number": number, "issued_at": now, **facts}
        session.execute(insert(IssuedVersion), [row])


def _last_number(session: Session, entity: Entity) -> int:
    query = select(func.max(IssuedVersion.number)).where(IssuedVersion.entity_id == entity.id)
    return session.scalar(query) or 0
