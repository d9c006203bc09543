"""The rows behind the fold of entities, read and written many at once. What they mean is entity_fold.py's work."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Row, bindparam, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from sync.branches import Issued
from sync.entity_state import EntityState, fold_label
from sync.families import Standing
from sync.models import (
    Entity,
    EntityAct,
    EntityConflict,
    EntityContribution,
    EntityDecision,
    EntityView,
    IssuedVersion,
    Submission,
)
from sync.policy import programme

_Row = Row[*tuple[Any, ...]]

_FACTS = (
    "path", "root_id", "action", "base_version", "trunk_version", "branch_id", "label", "properties", "counts",
    "waits_for", "forced_at",
)  # fmt: skip
_STATE = tuple(one.name for one in fields(EntityState))
_RULES = ("is_open", "site_code", "open_until")

# Statements are built once: SQLAlchemy's building and hashing would cost more than SQLite's running them.
_ids: BindParameter[list[int]] = bindparam("ids", expanding=True)
_said, _entities = EntityContribution.__table__, Entity.__table__
_SAID_BY = select(
    _said.c.id, _said.c.submission_id, _said.c.entity_id, _said.c.list_name, _said.c.path, _said.c.root_id,
    _said.c.counts, _said.c.problem, _said.c.forced_at,
).where(_said.c.submission_id.in_(_ids))  # fmt: skip
_FORGET = delete(EntityContribution).where(EntityContribution.id.in_(_ids))
_STAND = (
    update(EntityContribution)
    .where(_said.c.id == bindparam("key"))
    .values(root_id=bindparam("root"), counts=bindparam("does"))
)
_WAIT = update(EntityContribution).where(_said.c.id == bindparam("key")).values(waits_for=bindparam("missing"))
_ADD_SAID = insert(EntityContribution)
_STATES_BY_NAME = select(_entities.c.id, *(_entities.c[name] for name in _STATE)).where(
    _entities.c.list_name.in_(bindparam("lists", expanding=True)),
    _entities.c.uuid.in_(bindparam("uuids", expanding=True)),
)
_STATES = select(_entities.c.id, *(_entities.c[name] for name in _STATE)).where(_entities.c.id.in_(_ids))
_ADD_ENTITY = insert(Entity).returning(Entity.id, sort_by_parameter_order=True)
_CHANGED = tuple(name for name in (*_STATE, *_RULES, "label_key") if name not in ("list_name", "uuid"))
_WRITE_ENTITY = (
    update(Entity)
    .where(_entities.c.id == bindparam("key"))
    .values({name: bindparam(f"new_{name}", type_=_entities.c[name].type) for name in _CHANGED})
)
_ADD_ISSUED = insert(IssuedVersion)
_ISSUED = (
    select(IssuedVersion.entity_id, IssuedVersion.number, IssuedVersion.added, IssuedVersion.removed)
    .where(IssuedVersion.entity_id.in_(_ids))
    .order_by(IssuedVersion.number)
)
_HISTORY = (
    select(
        _said.c.id, _said.c.entity_id, Submission.form_id, Submission.instance_id, Submission.ended_at,
        *(_said.c[name] for name in _FACTS),
    )
    .join(Submission, Submission.id == _said.c.submission_id)
    .where(_said.c.entity_id.in_(_ids))
)  # fmt: skip
_ACTS = select(EntityAct.__table__).where(EntityAct.entity_id.in_(_ids)).order_by(EntityAct.id)
_act = EntityAct.__table__
_ACT_WAITS = update(EntityAct).where(_act.c.id == bindparam("key")).values(waits_for=bindparam("missing"))
_DECISIONS = select(EntityDecision.__table__).where(EntityDecision.entity_id.in_(_ids)).order_by(EntityDecision.id)
_decision = EntityDecision.__table__
_DECIDED = update(EntityDecision).where(_decision.c.id == bindparam("key")).values(waits_for=bindparam("missing"))
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


@dataclass(frozen=True, slots=True)
class SaidFacts:
    """One contribution with what its submission adds to it."""

    id: int
    form_id: str
    instance_id: str
    ended_at: datetime | None
    facts: Mapping[str, Any]

    @property
    def counts(self) -> bool:
        return bool(self.facts["counts"])

    @property
    def waits_for(self) -> str | None:
        missing: str | None = self.facts["waits_for"]
        return missing


@dataclass(frozen=True, slots=True)
class ActFacts:
    """What a person did to an entity without a form."""

    id: int
    waits_for: str | None
    facts: Mapping[str, Any]
    counts: bool = True


@dataclass(frozen=True, slots=True)
class DecisionFacts:
    """One decision of a person."""

    id: int
    uuid: str
    property_name: str
    value: str
    shown: Sequence[tuple[str, str]]
    shown_version: int
    decided_at: datetime
    undone: bool
    waits_for: str | None

    @property
    def key(self) -> str:
        return f"decision {self.uuid}"

    def find_missing(self, known: Collection[str]) -> str | None:
        """The first thing that the person was shown and that is not here yet."""
        return None if self.undone else next((key for key, _value in self.shown if key not in known), None)


_WAITS = {SaidFacts: _WAIT, ActFacts: _ACT_WAITS, DecisionFacts: _DECIDED}


@dataclass(frozen=True, slots=True)
class Wait:
    """A fact, and what is missing before it; None where nothing is."""

    fact: SaidFacts | ActFacts | DecisionFacts
    missing: str | None


@dataclass(frozen=True, slots=True)
class History:
    """All that is known about one entity."""

    entity_id: int
    state: EntityState
    said: Sequence[SaidFacts]
    acts: Sequence[ActFacts]
    decisions: Sequence[DecisionFacts]
    issued: Sequence[Issued]


def read_contributions_of(session: Session, submissions: Sequence[int]) -> Sequence[_Row]:
    """What these submissions said when they were last judged."""
    return session.connection().execute(_SAID_BY, {"ids": submissions}).all()


def forget_contributions(
    session: Session, before: Sequence[_Row], submissions: Collection[int]
) -> dict[tuple[int, str, str], datetime]:
    """Take out what these submissions said; return what was forced of it, by its place in the record."""
    mine = [row for row in before if row.submission_id in submissions]
    if mine:
        session.connection().execute(_FORGET, {"ids": [row.id for row in mine]})
    return {(row.submission_id, row.list_name, row.path): row.forced_at for row in mine if row.forced_at}


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
        made = connection.execute(_ADD_ENTITY, [_entity_row(one) for one in fresh]).scalars()
        ids |= {(one.list_name, one.uuid): id_ for one, id_ in zip(fresh, made, strict=True)}
    changed = [one for one in writes if one.entity_id is not None and one.before != one.after]
    if changed:
        connection.execute(_WRITE_ENTITY, [{"key": one.entity_id, **_new_values(one.after)} for one in changed])
    issued = [_issued_row(ids[one.after.list_name, one.after.uuid], it, now) for one in writes for it in one.served]
    if issued:
        connection.execute(_ADD_ISSUED, issued)
    _touch_views(session, writes)
    return ids


def read_histories(session: Session, ids: Collection[int]) -> list[History]:
    """Everything about these entities, in one order, so that workers never cross."""
    if not ids:
        return []
    connection, wanted = session.connection(), {"ids": sorted(ids)}
    states = {row.id: EntityState(*row[1:]) for row in connection.execute(_STATES, wanted)}
    said: dict[int, list[SaidFacts]] = {one: [] for one in states}
    for row in connection.execute(_HISTORY, wanted):
        facts = dict(zip(_FACTS, row[5:], strict=True))
        said[row.entity_id].append(SaidFacts(row.id, row.form_id, row.instance_id, row.ended_at, facts))
    issued: dict[int, list[Issued]] = {one: [] for one in states}
    for row in connection.execute(_ISSUED, wanted):
        issued[row.entity_id].append(Issued(row.number, row.added, row.removed))
    acts: dict[int, list[ActFacts]] = {one: [] for one in states}
    for row in connection.execute(_ACTS, wanted):
        acts[row.entity_id].append(ActFacts(row.id, row.waits_for, dict(row._mapping)))
    decisions: dict[int, list[DecisionFacts]] = {one: [] for one in states}
    for row in connection.execute(_DECISIONS, wanted):
        decisions[row.entity_id].append(_read_decision(row))
    return [History(one, states[one], said[one], acts[one], decisions[one], issued[one]) for one in sorted(states)]


def write_waiting(session: Session, waits: Iterable[Wait]) -> None:
    """Say of what waits what it waits for, and of the others that they wait no longer."""
    changed: dict[type, list[dict[str, Any]]] = {}
    for one in waits:
        if one.fact.waits_for != one.missing:
            changed.setdefault(type(one.fact), []).append({"key": one.fact.id, "missing": one.missing})
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


def _read_decision(row: _Row) -> DecisionFacts:
    return DecisionFacts(
        row.id, row.uuid, row.property_name, row.value, row.shown, row.shown_version, row.decided_at,
        row.undone_at is not None, row.waits_for,
    )  # fmt: skip


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
    }


def _touch_views(session: Session, writes: Sequence[Write]) -> None:
    """Whatever a tablet could see, before or now, makes what is kept of its list stale."""
    touched = {
        (state.list_name, state.site_code(policy))
        for one in writes
        for state in (one.before, one.after)
        if one.before != one.after and state.is_open(policy := programme().policy_for_list(state.list_name))
    }
    rows = [{"list_name": name, "site_code": code, "generation": 1} for name, code in sorted(touched)]
    if rows:
        session.connection().execute(_TOUCH_VIEW[session.get_bind().dialect.name], rows)
