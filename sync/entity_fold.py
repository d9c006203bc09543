"""Entities as a fold over the contributions of counting submissions and the decisions of people.

Most contributions had seen all before them and cost one step (entity_state.py); the others have their entity folded
whole. Which record of a family counts is families.py's word; order and waiting are branches.py's, values merge.py's.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from forms.entities import EntityChange
from sync import entity_rows as rows
from sync.branches import Contribution
from sync.entity_facts import Folded, SaidFacts, fold_history, record_name
from sync.entity_state import EntityState, can_follow, follow
from sync.families import Standing
from sync.merge import Merged
from sync.models import Entity, EntityConflict, EntityContribution, EntityRelease, Submission
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
    rows.forget_contributions(session, before, [one.submission.id for one in said])
    rows.write_standings(session, before, standings)
    fresh = _group(one for single in said for one in _contributions(single, standings[single.submission.id]))
    touched |= _take_steps(session, fresh, touched, now)
    fold_whole(session, touched, now)


def tell_entities(session: Session, said: Sequence[Said], standings: Mapping[int, Standing], now: datetime) -> None:
    """Keep what the submissions say and fold nothing: the caller folds all of it whole."""
    fresh = _group(one for single in said for one in _contributions(single, standings[single.submission.id]))
    known = {entity_id for entity_id, _ in rows.read_states(session, fresh).values()}
    _take_steps(session, fresh, {None, *known}, now)


def fold_whole(session: Session, ids: Collection[int], now: datetime) -> None:
    """Fold these entities from their whole history. The caller holds the registry's lock (registry.lock_registry)."""
    policy_for = programme().policy_for_list
    histories = rows.read_histories(session, ids)
    folded = [fold_history(one, policy_for(one.state.list_name)) for one in histories]
    if not folded:
        return
    rows.write_waiting(session, [wait for one in folded for wait in one.waits])
    had = [one.entity_id for one in histories if one.state.open_conflicts]
    rows.write_conflicts(session, {one.history.entity_id: _conflict_rows(one.merged) for one in folded}, had, now)
    rows.write_states(session, [_write(one) for one in folded], now)


def has_overdue(session: Session, days: int, now: datetime) -> bool:
    """Whether anything has waited for too long; reads only, so that nobody waits for the write lock in vain."""
    return session.scalars(_overdue(days, now).limit(1)).first() is not None


def force_overdue(session: Session, days: int, now: datetime) -> int:
    """Apply, with a flag, what has waited for too long; when the missing one comes after all, it is folded in order.

    The caller holds the registry's lock (registry.lock_registry).
    """
    overdue = session.scalars(_overdue(days, now)).all()
    released = {(row.entity_id, _record(row)) for row in overdue}
    session.add_all(EntityRelease(entity_id=one, record=record, released_at=now) for one, record in sorted(released))
    session.flush()
    fold_whole(session, {row.entity_id for row in overdue}, now)
    return len(overdue)


def _record(row: EntityContribution) -> str:
    return record_name(row.submission.form_id, row.submission.instance_id, row.ordinal)


def _overdue(days: int, now: datetime) -> Select[EntityContribution]:
    late = Submission.received_at < now - timedelta(days=days)
    waiting = select(EntityContribution).join(EntityContribution.submission)
    return waiting.where(EntityContribution.waits_for.is_not(None), late)


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
_SAID = (
    "root_id", "ordinal", "action", "base_version", "trunk_version", "branch_id", "label", "properties", "counts"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Fresh:
    """A contribution on its way in, as a row and as the fold reads it."""

    row: dict[str, Any]
    read: Contribution

    @property
    def counts(self) -> bool:
        return bool(self.row["counts"])


def _contributions(said: Said, standing: Standing) -> Iterable[tuple[_Name, _Fresh]]:
    counted = Counter[_Name]()
    for one in said.changes:
        if not one.id:
            continue
        name = (one.list_name, one.id)
        counted[name] += 1
        row = {
            "submission_id": said.submission.id,
            "list_name": one.list_name,
            "path": one.path,
            "ordinal": counted[name],
            "root_id": standing.root_id,
            "action": one.action,
            "base_version": one.base_version,
            "trunk_version": one.trunk_version,
            "branch_id": one.branch_id,
            "label": one.label,
            "properties": dict(one.values),
            "problem": one.problems[0] if one.problems else None,
            "counts": standing.counts and not one.problems,
        }
        yield name, _Fresh(row, _read(said.submission, row))


def _read(submission: Submission, row: Mapping[str, Any]) -> Contribution:
    facts = {name: row[name] for name in _SAID}
    told = SaidFacts(
        0, form_id=submission.form_id, instance_id=submission.instance_id, ended_at=submission.ended_at, **facts
    )
    return told.read()


def _group(fresh: Iterable[tuple[_Name, _Fresh]]) -> dict[_Name, list[_Fresh]]:
    found: dict[_Name, list[_Fresh]] = {}
    for name, one in fresh:
        found.setdefault(name, []).append(one)
    for group in found.values():
        group.sort(key=lambda one: (one.read.base_version or 0, not one.read.begins, one.read.rank))
    return found


def _take_steps(
    session: Session, fresh: Mapping[_Name, Sequence[_Fresh]], touched: Collection[int | None], now: datetime
) -> set[int]:
    """Write all contributions and let those follow that can; return the entities that must be folded whole."""
    known, slot = rows.read_states(session, fresh), rows.read_slot(session)
    writes = []
    left: set[_Name] = set()
    for name, group in fresh.items():
        entity_id, before = known.get(name, (None, EntityState(*name)))
        told = [(one.read, one.counts) for one in group]
        stepped = None if entity_id in touched else step_all(before, told, slot)
        if stepped is None:
            left.add(name)
        writes.append(rows.Write(entity_id, before, *(stepped or (before, []))))
    ids = rows.write_states(session, writes, now)
    rows.add_contributions(session, [{**one.row, "entity_id": ids[name]} for name in fresh for one in fresh[name]])
    return {ids[name] for name in left}


def step_all(
    before: EntityState, group: Iterable[tuple[Contribution, bool]], slot: int = 0
) -> tuple[EntityState, list[rows.Served]] | None:
    """Let contributions follow, each with whether it counts; None where one cannot and all must be folded whole."""
    state = replace(before, properties=dict(before.properties))
    policy = programme().policy_for_list(state.list_name)
    served = []
    for one, counts in group:
        if not can_follow(state, one, counts=counts):
            return None
        if issued := follow(state, one, policy, counts=counts, slot=slot):
            served.append(rows.Served(issued, state.label, dict(state.properties)))
    return state, served


def _conflict_rows(merged: Merged) -> list[dict[str, Any]]:
    return [
        {"property_name": name, "candidates": [list(one) for one in candidates], "base": merged.bases.get(name)}
        for name, candidates in merged.conflicts.items()
    ]


def _write(folded: Folded) -> rows.Write:
    label, values, history = folded.merged.label, dict(folded.merged.values), folded.history
    served = [rows.Served(folded.issued, label, values)] if folded.issued else []
    return rows.Write(history.entity_id, history.state, folded.state, served)
