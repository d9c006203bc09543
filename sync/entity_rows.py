"""The rows behind the fold of entities, read and written many at once. What they mean is entity_fold.py's work."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import BindParameter, Row, bindparam, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from sync.branches import Issued
from sync.db import add_rows
from sync.entity_facts import ActFacts, DecisionFacts, GroundFacts, History, SaidFacts, Wait
from sync.entity_following import follow_rows
from sync.entity_state import EntityState, fold_label
from sync.entity_words import write_words
from sync.families import Standing
from sync.models import (
    Entity,
    EntityAct,
    EntityConflict,
    EntityContribution,
    EntityDecision,
    EntityGround,
    EntityRelease,
    EntityView,
    IssuedVersion,
    Submission,
    Upstream,
)
from sync.policy import programme

_Row = Row[*tuple[Any, ...]]
_F = TypeVar("_F")

_STATE = tuple(one.name for one in fields(EntityState))
_RULES = ("is_open", "site_code", "open_until", "parent_uuid")

# Statements are built once: SQLAlchemy's building and hashing would cost more than SQLite's running them.
_ids: BindParameter[list[int]] = bindparam("ids", expanding=True)
_said, _entities = EntityContribution.__table__, Entity.__table__
_SAID_BY = select(
    _said.c.id, _said.c.submission_id, _said.c.entity_id, _said.c.list_name, _said.c.path, _said.c.root_id,
    _said.c.counts, _said.c.problem,
).where(_said.c.submission_id.in_(_ids))  # fmt: skip
_FORGET = delete(EntityContribution).where(EntityContribution.id.in_(_ids))
_STAND = (
    update(EntityContribution)
    .where(_said.c.id == bindparam("key"))
    .values(root_id=bindparam("root"), counts=bindparam("does"))
)
_WAIT = (
    update(EntityContribution)
    .where(_said.c.id == bindparam("key"))
    .values(waits_for=bindparam("missing"), forced=bindparam("though"))
)
_ADD_SAID = insert(EntityContribution)
_STATES_BY_NAME = select(_entities.c.id, *(_entities.c[name] for name in _STATE)).where(
    _entities.c.list_name.in_(bindparam("lists", expanding=True)),
    _entities.c.uuid.in_(bindparam("uuids", expanding=True)),
)
_STATES = select(_entities.c.id, *(_entities.c[name] for name in _STATE)).where(_entities.c.id.in_(_ids))
_IDS_BY_NAME = select(_entities.c.list_name, _entities.c.uuid, _entities.c.id).where(
    _entities.c.list_name.in_(bindparam("lists", expanding=True)),
    _entities.c.uuid.in_(bindparam("uuids", expanding=True)),
)
_CHANGED = tuple(name for name in (*_STATE, *_RULES, "label_key") if name not in ("list_name", "uuid"))
_WRITE_ENTITY = (
    update(Entity)
    .where(_entities.c.id == bindparam("key"))
    .values({name: bindparam(f"new_{name}", type_=_entities.c[name].type) for name in _CHANGED})
)
_ISSUED = (
    select(
        IssuedVersion.entity_id, IssuedVersion.number, IssuedVersion.added, IssuedVersion.removed, IssuedVersion.after
    )
    .where(IssuedVersion.entity_id.in_(_ids))
    .order_by(IssuedVersion.number)
)
_HISTORY = (
    select(
        _said.c.entity_id, _said.c.id, Submission.form_id, Submission.instance_id, _said.c.root_id, _said.c.ordinal,
        Submission.ended_at, _said.c.action, _said.c.base_version, _said.c.trunk_version, _said.c.branch_id,
        _said.c.label, _said.c.properties, _said.c.counts, Submission.superseded_by_id.is_not(None),
        _said.c.waits_for, _said.c.forced,
    )
    .join(Submission, Submission.id == _said.c.submission_id)
    .where(_said.c.entity_id.in_(_ids))
)  # fmt: skip
_act = EntityAct.__table__
_ACTS = select(_act.c.entity_id, *(_act.c[one.name] for one in fields(ActFacts))).where(_act.c.entity_id.in_(_ids))
_ground = EntityGround.__table__
_GROUNDS = select(_ground.c.entity_id, *(_ground.c[one.name] for one in fields(GroundFacts))).where(
    _ground.c.entity_id.in_(_ids)
)
_RELEASED = select(EntityRelease.entity_id, EntityRelease.record).where(EntityRelease.entity_id.in_(_ids))
_ACT_WAITS = update(EntityAct).where(_act.c.id == bindparam("key")).values(waits_for=bindparam("missing"))
_decision = EntityDecision.__table__
_DECISIONS = select(
    _decision.c.entity_id, _decision.c.id, _decision.c.uuid, _decision.c.property_name, _decision.c.value,
    _decision.c.shown, _decision.c.shown_version, _decision.c.decided_at, _decision.c.undone_at.is_not(None),
    _decision.c.waits_for,
).where(_decision.c.entity_id.in_(_ids))  # fmt: skip
_DECIDED = update(EntityDecision).where(_decision.c.id == bindparam("key")).values(waits_for=bindparam("missing"))
_WAITS = {SaidFacts: _WAIT, ActFacts: _ACT_WAITS, DecisionFacts: _DECIDED}
_OPENED = select(EntityConflict.entity_id, EntityConflict.property_name, EntityConflict.opened_at).where(
    EntityConflict.entity_id.in_(_ids)
)
_FORGET_CONFLICTS = delete(EntityConflict).where(EntityConflict.entity_id.in_(_ids))
_ADD_CONFLICT = insert(EntityConflict)
_WHERE_SEEN = ["list_name", "site_code"]
_next = EntityView.__table__.c.generation + 1
_TOUCH_VIEW = {
    "sqlite": insert_sqlite(EntityView).on_conflict_do_update(index_elements=_WHERE_SEEN, set_={"generation": _next}),
    "postgresql": insert_postgresql(EntityView).on_conflict_do_update(
        index_elements=_WHERE_SEEN, set_={"generation": _next}
    ),
}


@dataclass(frozen=True, slots=True)
class Served:
    """What is served from now on under a new number."""

    issued: Issued
    label: str
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Write:
    """An entity before and after; without an id it is not here yet."""

    entity_id: int | None
    before: EntityState
    after: EntityState
    served: Sequence[Served]


def read_contributions_of(session: Session, submissions: Sequence[int]) -> Sequence[_Row]:
    """What these submissions said when they were last judged."""
    return session.connection().execute(_SAID_BY, {"ids": submissions}).all()


def forget_contributions(session: Session, before: Sequence[_Row], submissions: Collection[int]) -> None:
    """Take out what these submissions said."""
    mine = [row.id for row in before if row.submission_id in submissions]
    if mine:
        session.connection().execute(_FORGET, {"ids": mine})


def write_standings(session: Session, before: Sequence[_Row], standings: Mapping[int, Standing]) -> None:
    """Let the others of a family count or not, as it was decided."""
    wanted = [
        {"key": row.id, "root": standing.root_id, "does": standing.counts and row.problem is None}
        for row in before
        if (standing := standings[row.submission_id])
    ]
    changed = [
        one for one, row in zip(wanted, before, strict=True) if (one["root"], one["does"]) != (row.root_id, row.counts)
    ]
    if changed:
        session.connection().execute(_STAND, changed)


def read_states(
    session: Session, names: Collection[tuple[str, str]]
) -> dict[tuple[str, str], tuple[int | None, EntityState]]:
    """The entities of these lists and ids, as they stand."""
    if not names:
        return {}
    wanted = {"lists": sorted({name for name, _ in names}), "uuids": sorted({uuid for _, uuid in names})}
    found = session.connection().execute(_STATES_BY_NAME, wanted)
    return {(row.list_name, row.uuid): (row.id, EntityState(*row[1:])) for row in found}


def add_contributions(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write down what submissions say."""
    if rows:
        session.connection().execute(_ADD_SAID, rows)


def write_states(session: Session, writes: Sequence[Write], now: datetime) -> dict[tuple[str, str], int]:
    """Write entities as they stand now, with the numbers that they got; return their ids by list and id."""
    connection = session.connection()
    ids = {(one.after.list_name, one.after.uuid): one.entity_id for one in writes if one.entity_id is not None}
    fresh = [one.after for one in writes if one.entity_id is None]
    if fresh:
        # Asking for the ids afterwards is cheaper than RETURNING, which costs a statement for each row on SQLite and
        # a very long one, to be parsed anew each time, on PostgreSQL.
        add_rows(session.connection(), Entity, [_entity_row(one) for one in fresh])
        names = {"lists": sorted({one.list_name for one in fresh}), "uuids": [one.uuid for one in fresh]}
        ids |= {(row.list_name, row.uuid): row.id for row in connection.execute(_IDS_BY_NAME, names)}
    changed = [one for one in writes if one.entity_id is not None and one.before != one.after]
    if changed:
        connection.execute(_WRITE_ENTITY, [{"key": one.entity_id, **_new_values(one.after)} for one in changed])
    write_words(session, [(ids[one.after.list_name, one.after.uuid], one.before, one.after) for one in writes])
    issued = [_issued_row(ids[one.after.list_name, one.after.uuid], it, now) for one in writes for it in one.served]
    add_rows(session.connection(), IssuedVersion, issued)
    moved = follow_rows(session, [one.after for one in writes if one.before != one.after])
    _touch_views(session, writes, moved)
    return ids


def read_slot(session: Session) -> int:
    """Whose numbers are issued here (numbering.py): 0, or those of this relay. Asked once a session."""
    if "slot" not in session.info:
        session.info["slot"] = session.scalar(select(Upstream.number)) or 0
    return int(session.info["slot"])


def read_histories(session: Session, ids: Collection[int]) -> list[History]:
    """Everything about these entities, in one order, so that workers never cross."""
    if not ids:
        return []
    connection, wanted = session.connection(), {"ids": sorted(ids)}
    states = {row.id: EntityState(*row[1:]) for row in connection.execute(_STATES, wanted)}
    said = _by_entity((row.entity_id, SaidFacts(*row[1:])) for row in connection.execute(_HISTORY, wanted))
    acts = _by_entity((row.entity_id, ActFacts(*row[1:])) for row in connection.execute(_ACTS, wanted))
    words = _by_entity((row.entity_id, DecisionFacts(*row[1:])) for row in connection.execute(_DECISIONS, wanted))
    issued = _by_entity((row.entity_id, Issued(*row[1:])) for row in connection.execute(_ISSUED, wanted))
    released = _by_entity((row.entity_id, row.record) for row in connection.execute(_RELEASED, wanted))
    slot = read_slot(session)
    grounds = {row.entity_id: GroundFacts(*row[1:]) for row in connection.execute(_GROUNDS, wanted)} if slot else {}
    return [
        History(one, states[one], said[one], acts[one], words[one], issued[one], released[one], slot, grounds.get(one))
        for one in sorted(states)
    ]


def _by_entity(facts: Iterable[tuple[int, _F]]) -> dict[int, list[_F]]:
    found: dict[int, list[_F]] = defaultdict(list)
    for entity_id, fact in facts:
        found[entity_id].append(fact)
    return found


def write_waiting(session: Session, waits: Iterable[Wait]) -> None:
    """Say of what waits what it waits for, and of the others that they wait no longer."""
    changed: dict[type, list[dict[str, Any]]] = {}
    for one in waits:
        row: dict[str, Any] = {"key": one.fact.id, "missing": one.missing}
        before, after = (one.fact.waits_for, False), (one.missing, one.forced)
        if isinstance(one.fact, SaidFacts):
            row["though"] = one.forced
            before = (one.fact.waits_for, one.fact.forced)
        if before != after:
            changed.setdefault(type(one.fact), []).append(row)
    for kind, facts in changed.items():
        session.connection().execute(_WAITS[kind], facts)


def write_conflicts(
    session: Session, conflicts: Mapping[int, Sequence[Mapping[str, Any]]], had: Sequence[int], now: datetime
) -> None:
    """Replace the open conflicts of these entities; `had` are those that have any by now. What stays keeps its age."""
    connection = session.connection()
    since: dict[tuple[int, str], datetime] = {}
    if had:
        since = {(row.entity_id, row.property_name): row.opened_at for row in connection.execute(_OPENED, {"ids": had})}
        connection.execute(_FORGET_CONFLICTS, {"ids": had})
    fresh = [
        {"entity_id": entity_id, "opened_at": since.get((entity_id, row["property_name"]), now), **row}
        for entity_id, rows in conflicts.items()
        for row in rows
    ]
    if fresh:
        connection.execute(_ADD_CONFLICT, fresh)


def _entity_row(state: EntityState) -> dict[str, Any]:
    policy = programme().policy_for_list(state.list_name)
    facts = {name: getattr(state, name) for name in _STATE}
    rules = {name: getattr(state, name)(policy) for name in _RULES}
    return {**facts, **rules, "label_key": fold_label(state.label or state.uuid)}


def _new_values(state: EntityState) -> dict[str, Any]:
    row = _entity_row(state)
    return {f"new_{name}": row[name] for name in _CHANGED}


def _issued_row(entity_id: int, served: Served, now: datetime) -> dict[str, Any]:
    return {
        "entity_id": entity_id,
        "number": served.issued.number,
        "added": list(served.issued.added),
        "removed": list(served.issued.removed),
        "label": served.label,
        "properties": dict(served.properties),
        "issued_at": now,
        "after": served.issued.after,
    }


def _touch_views(session: Session, writes: Sequence[Write], moved: set[tuple[str, str]]) -> None:
    """Whatever a tablet could see, before or now, makes what is kept of its list stale."""
    touched = {
        (state.list_name, state.site_code(policy))
        for one in writes
        for state in (one.before, one.after)
        if one.before != one.after and state.is_open(policy := programme().policy_for_list(state.list_name))
    }
    rows = [{"list_name": name, "site_code": code, "generation": 1} for name, code in sorted(touched | moved)]
    if rows:
        session.connection().execute(_TOUCH_VIEW[session.get_bind().dialect.name], rows)
