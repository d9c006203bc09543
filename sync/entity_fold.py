"""Entities as a fold over the contributions of counting submissions and the decisions of people.

Most contributions had seen all before them and cost one step (entity_state.py); the others have their entity folded
whole. Which record of a family counts is families.py's word; order and waiting are branches.py's, values merge.py's.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from forms.entities import EntityChange
from sync import entity_rows as rows
from sync.branches import Contribution, Issued, read_graph
from sync.entity_state import EntityState, adopt, can_follow, claim, follow
from sync.families import Standing
from sync.merge import DELETED, LABEL, Merged, merge_entity
from sync.models import Entity, EntityConflict, EntityContribution, Submission
from sync.policy import programme


@dataclass(frozen=True, slots=True)
class Said:
    """What a freshly judged submission says about entities."""

    submission: Submission
    changes: Sequence[EntityChange]


def fold_entities(session: Session, said: Sequence[Said], standings: Mapping[int, Standing], now: datetime) -> None:
    """Keep what the submissions say about entities and bring all entities in line that they or their families touch.

    What does not count is kept too: whatever an update's fate, its tablet must be served a version as high as its own.
    """
    said = [one for one in said if not one.submission.is_draft]
    before = rows.read_contributions_of(session, list(standings))
    if not said or not (before or any(one.changes for one in said)):
        return
    touched = {row.entity_id for row in before}
    forced = rows.forget_contributions(session, before, [one.submission.id for one in said])
    rows.write_standings(session, before, standings)
    fresh = _group(one for single in said for one in _contributions(single, standings[single.submission.id], forced))
    touched |= _take_steps(session, fresh, touched, now)
    fold_whole(session, touched, now)


def fold_whole(session: Session, ids: Collection[int], now: datetime) -> None:
    """Fold these entities from their whole history. The caller holds the registry's lock (registry.lock_registry)."""
    folded = [_fold(one) for one in rows.read_histories(session, ids)]
    if not folded:
        return
    rows.write_waiting(session, [wait for one in folded for wait in one.waits])
    had = [one.entity_id for one in folded if one.write.before.open_conflicts]
    rows.write_conflicts(session, {one.entity_id: _conflict_rows(one.merged) for one in folded}, had, now)
    rows.write_states(session, [one.write for one in folded], now)


def has_overdue(session: Session, days: int, now: datetime) -> bool:
    """Whether anything has waited for too long; reads only, so that nobody waits for the write lock in vain."""
    return session.scalars(_overdue(days, now).limit(1)).first() is not None


def force_overdue(session: Session, days: int, now: datetime) -> int:
    """Apply, with a flag, what has waited for too long; when the missing one comes after all, it is folded in order.

    The caller holds the registry's lock (registry.lock_registry).
    """
    overdue = session.scalars(_overdue(days, now)).all()
    for row in overdue:
        row.forced_at = now
    session.flush()
    fold_whole(session, {row.entity_id for row in overdue}, now)
    return len(overdue)


def _overdue(days: int, now: datetime) -> Select[EntityContribution]:
    late = Submission.received_at < now - timedelta(days=days)
    waiting = select(EntityContribution).join(EntityContribution.submission)
    return waiting.where(EntityContribution.waits_for.is_not(None), EntityContribution.forced_at.is_(None), late)


def entity_lines(session: Session) -> Iterable[str]:
    """One line per entity for the registry's digest: its values and open conflicts, no row ids and no numbers."""
    conflicts: dict[int, dict[str, Any]] = {}
    found = select(EntityConflict.entity_id, EntityConflict.property_name, EntityConflict.candidates)
    for entity_id, name, candidates in session.execute(found):
        conflicts.setdefault(entity_id, {})[name] = candidates
    entities = select(Entity.id, Entity.list_name, Entity.uuid, Entity.label, Entity.properties).where(Entity.exists)
    for entity_id, *facts in session.execute(entities):
        line = {"entity": [*facts, conflicts.get(entity_id, {})]}
        yield json.dumps(line, sort_keys=True, ensure_ascii=False)


_Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Fresh:
    """A contribution on its way in, as a row and as the fold reads it."""

    row: dict[str, Any]
    read: Contribution

    @property
    def counts(self) -> bool:
        return bool(self.row["counts"])


def _contributions(
    said: Said, standing: Standing, forced: Mapping[tuple[int, str, str], datetime]
) -> Iterable[tuple[_Name, _Fresh]]:
    for one in said.changes:
        if not one.id:
            continue
        place = (said.submission.id, one.list_name, one.path)
        row = {
            "submission_id": said.submission.id,
            "list_name": one.list_name,
            "path": one.path,
            "root_id": standing.root_id,
            "action": one.action,
            "base_version": one.base_version,
            "trunk_version": one.trunk_version,
            "branch_id": one.branch_id,
            "label": one.label,
            "properties": dict(one.values),
            "problem": one.problems[0] if one.problems else None,
            "counts": standing.counts and not one.problems,
            # That it was forced once stays with the place in the record.
            "forced_at": forced.get(place),
        }
        submission = said.submission
        yield (
            (one.list_name, one.id),
            _Fresh(row, read_contribution(row, submission.form_id, submission.instance_id, submission.ended_at)),
        )


def _group(fresh: Iterable[tuple[_Name, _Fresh]]) -> dict[_Name, list[_Fresh]]:
    found: dict[_Name, list[_Fresh]] = {}
    for name, one in fresh:
        found.setdefault(name, []).append(one)
    for group in found.values():
        group.sort(key=lambda one: (one.read.base_version or 0, not one.read.begins, one.read.rank))
    return found


def read_contribution(
    row: Mapping[str, Any], form_id: str, instance_id: str, ended_at: datetime | None
) -> Contribution:
    """A row of what a submission says, as the fold reads it."""
    # A blank label leaves the old one (ODK Entities spec, "label").
    label = {LABEL: row["label"]} if row["label"] else {}
    return Contribution(
        key=f"{form_id} {row['root_id']} {row['path']}",
        instance_id=instance_id,
        ended_at=ended_at,
        creates=row["action"] != "update",
        # A creation is based on nothing, whatever a form writes beside it.
        base_version=None if row["action"] == "create" else row["base_version"],
        trunk_version=row["trunk_version"],
        branch_id=row["branch_id"],
        values={**row["properties"], **label},
        forced=row["forced_at"] is not None,
    )


def _take_steps(
    session: Session, fresh: Mapping[_Name, Sequence[_Fresh]], touched: Collection[int], now: datetime
) -> set[int]:
    """Write all contributions and let those follow that can; return the entities that must be folded whole."""
    known = rows.read_states(session, fresh)
    writes = []
    left: set[_Name] = set()
    for name, group in fresh.items():
        entity_id, before = known.get(name, (None, EntityState(*name)))
        stepped = None if entity_id in touched else step_all(before, [(one.read, one.counts) for one in group])
        if stepped is None:
            left.add(name)
        writes.append(rows.Write(entity_id, before, *(stepped or (before, []))))
    ids = rows.write_states(session, writes, now)
    rows.add_contributions(session, [{**one.row, "entity_id": ids[name]} for name in fresh for one in fresh[name]])
    return {ids[name] for name in left}


def step_all(
    before: EntityState, group: Iterable[tuple[Contribution, bool]]
) -> tuple[EntityState, list[rows.Served]] | None:
    """Let contributions follow, each with whether it counts; None where one cannot and all must be folded whole."""
    state = replace(before, properties=dict(before.properties))
    policy = programme().policy_for_list(state.list_name)
    served = []
    for one, counts in group:
        if not can_follow(state, one, counts=counts):
            return None
        if issued := follow(state, one, policy, counts=counts):
            served.append(rows.Served(issued, state.label, dict(state.properties)))
    return state, served


@dataclass(frozen=True, slots=True)
class _Folded:
    """What the whole history of an entity says, on its way to the database."""

    entity_id: int
    write: rows.Write
    merged: Merged
    waits: Sequence[rows.Wait]


def _fold(history: rows.History) -> _Folded:
    """Pure: the same facts give the same entity."""
    told = list(_read_told(history))
    known = {read.key for _, read in told} | {one.key for one in history.decisions}
    decided = [one for one in history.decisions if not one.undone and one.find_missing(known) is None]
    applied = [*(read for one, read in told if one.counts), *(_read_decision(one) for one in decided)]
    graph = read_graph(applied, history.issued)
    merged = merge_entity(graph, programme().policy_for_list(history.state.list_name).merge_policy)
    before, state = copy(history.state), history.state
    for _, read in told:
        claim(state, read)
    issued = adopt(state, graph, merged, history.issued)
    waits = [
        *(rows.Wait(one, graph.held.get(read.key) if one.counts else None) for one, read in told),
        *(rows.Wait(one, one.find_missing(known)) for one in history.decisions),
    ]
    state.is_settled = state.is_settled and not any(one.missing for one in waits)
    served = [_serve(issued, merged)] if issued else []
    return _Folded(history.entity_id, rows.Write(history.entity_id, before, state, served), merged, waits)


def _read_told(history: rows.History) -> Iterable[tuple[rows.SaidFacts | rows.ActFacts, Contribution]]:
    for one in history.said:
        yield one, read_contribution(one.facts, one.form_id, one.instance_id, one.ended_at)
    for act in history.acts:
        yield act, read_act(act.facts)


def read_act(row: Mapping[str, Any]) -> Contribution:
    """A row of what a person did to an entity without a form, as the fold reads it."""
    key = f"act {row['uuid']}"
    label = {LABEL: row["label"]} if row["label"] else {}
    fate = {"delete": {DELETED: row["acted_at"].isoformat()}, "restore": {DELETED: ""}}
    return Contribution(
        key=key,
        instance_id=key,
        ended_at=row["acted_at"],
        creates=row["action"] == "create",
        base_version=row["base_version"],
        values={**row["properties"], **label, **fate.get(row["action"], {})},
    )


def _read_decision(one: rows.DecisionFacts) -> Contribution:
    return Contribution(
        key=one.key,
        instance_id=one.key,
        ended_at=one.decided_at,
        base_version=one.shown_version,
        values={one.property_name: one.value},
        shown=dict(one.shown),
    )


def _conflict_rows(merged: Merged) -> list[dict[str, Any]]:
    return [
        {"property_name": name, "candidates": [list(one) for one in candidates], "base": merged.bases.get(name)}
        for name, candidates in merged.conflicts.items()
    ]


def _serve(issued: Issued, merged: Merged) -> rows.Served:
    return rows.Served(issued, merged.label, dict(merged.values))
