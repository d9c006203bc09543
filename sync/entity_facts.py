"""Everything that is known about one entity, and its fold. Pure: the same facts give the same entity in any order.

Which record of a family counts is families.py's word; order and waiting are branches.py's, values merge.py's, numbers
entity_state.py's. The rows are entity_rows.py's.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime

from forms.programme import ListPolicy
from sync.branches import GROUND, Contribution, Graph, Issued, read_graph
from sync.entity_state import EntityState, adopt, claim
from sync.merge import DELETED, LABEL, Merged, merge_entity


def record_name(form_id: str, instance_id: str, ordinal: int) -> str:
    """The name on every server of what one record says about an entity, the first time, the second time and so on."""
    return f"{form_id} {instance_id} {ordinal}"


@dataclass(frozen=True, slots=True)
class SaidFacts:
    """What one record says about the entity; `ordinal` counts what the same record says about it.

    The number and not the place in the record: a repeat that an edit leaves out moves those after it.
    """

    id: int
    form_id: str
    instance_id: str
    root_id: str
    ordinal: int
    ended_at: datetime | None
    action: str
    base_version: int | None
    trunk_version: int | None
    branch_id: str | None
    label: str | None
    properties: Mapping[str, str]
    counts: bool
    superseded: bool = False
    waits_for: str | None = None
    forced: bool = False

    @property
    def key(self) -> str:
        """The same for a record and its edits."""
        return record_name(self.form_id, self.root_id, self.ordinal)

    @property
    def record(self) -> str:
        """The name under which it is released when it has waited for too long."""
        return record_name(self.form_id, self.instance_id, self.ordinal)

    @property
    def base(self) -> int | None:
        """The version of its tablet before it: Collect counts on with each thing that one record says of an entity."""
        return self.base_version + self.ordinal - 1 if self.branch_id and self.base_version else self.base_version

    def read(self) -> Contribution:
        """What it says, as the fold reads it."""
        # A blank label leaves the old one (ODK Entities spec, "label").
        label = {LABEL: self.label} if self.label else {}
        return Contribution(
            key=self.key,
            instance_id=self.instance_id,
            ended_at=self.ended_at,
            creates=self.action != "update",
            # A creation is based on nothing, whatever a form writes beside it.
            base_version=None if self.action == "create" else self.base,
            trunk_version=self.trunk_version,
            branch_id=self.branch_id,
            values={**self.properties, **label},
        )


@dataclass(frozen=True, slots=True)
class ActFacts:
    """What a person did to the entity without a form."""

    id: int
    uuid: str
    action: str
    base_version: int | None
    label: str | None
    properties: Mapping[str, str]
    acted_at: datetime
    waits_for: str | None = None

    @property
    def key(self) -> str:
        return f"act {self.uuid}"

    def read(self) -> Contribution:
        """What was done, as the fold reads it."""
        label = {LABEL: self.label} if self.label else {}
        fate = {"delete": {DELETED: self.acted_at.isoformat()}, "restore": {DELETED: ""}}
        return Contribution(
            key=self.key,
            instance_id=self.key,
            ended_at=self.acted_at,
            creates=self.action == "create",
            base_version=self.base_version,
            values={**self.properties, **label, **fate.get(self.action, {})},
        )


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
    undone: bool = False
    waits_for: str | None = None

    @property
    def key(self) -> str:
        return f"decision {self.uuid}"

    def find_missing(self, known: Collection[str]) -> str | None:
        """The first thing that the person was shown and that is not here yet."""
        return None if self.undone else next((key for key, _value in self.shown if key not in known), None)

    def read(self) -> Contribution:
        """What was decided, as the fold reads it."""
        return Contribution(
            key=self.key,
            instance_id=self.key,
            ended_at=self.decided_at,
            base_version=self.shown_version,
            values={self.property_name: self.value},
            shown=dict(self.shown),
        )


Fact = SaidFacts | ActFacts | DecisionFacts


@dataclass(frozen=True, slots=True)
class GroundFacts:
    """What the centre served of the entity under one number; `contains` names what came from here and is in it."""

    number: int
    label: str
    properties: Mapping[str, str]
    contains: Collection[str]
    deleted_at: datetime | None

    def read(self) -> Contribution:
        """As the fold reads it: the creation of all that is known here."""
        gone = {DELETED: self.deleted_at.isoformat()} if self.deleted_at else {}
        values = {**self.properties, LABEL: self.label, **gone}
        return Contribution(GROUND, GROUND, None, creates=True, values=values)


@dataclass(frozen=True, slots=True)
class History:
    """All that is known about one entity. `released` names the records that need wait no longer.

    On a relay `slot` is not 0 (numbering.py), and the history of what the centre told stands on its `ground`.
    """

    entity_id: int
    state: EntityState
    said: Sequence[SaidFacts] = ()
    acts: Sequence[ActFacts] = ()
    decisions: Sequence[DecisionFacts] = ()
    issued: Sequence[Issued] = ()
    released: Collection[str] = ()
    slot: int = 0
    ground: GroundFacts | None = None

    def is_new(self, key: str) -> bool:
        """Whether the ground says nothing of this yet."""
        return self.ground is None or key not in self.ground.contains


@dataclass(frozen=True, slots=True)
class Wait:
    """A fact, and what is missing before it; None where nothing is. `forced`: it is applied all the same."""

    fact: Fact
    missing: str | None
    forced: bool = False


@dataclass(frozen=True, slots=True)
class Folded:
    """What a history says. `issued` is the number that is served from now on, if it is a new one."""

    history: History
    graph: Graph
    state: EntityState
    merged: Merged
    issued: Issued | None
    waits: Sequence[Wait]


def fold_history(history: History, policy: ListPolicy) -> Folded:
    """Fold an entity from all that is known of it, and tell what of it must wait."""
    told: list[tuple[SaidFacts | ActFacts, Contribution]] = [(one, one.read()) for one in history.acts]
    told += _read_counting(history)
    facts: list[Fact] = [*history.said, *history.acts, *history.decisions]
    known = {one.key for one in facts}
    decided = [one.read() for one in history.decisions if not one.undone and one.find_missing(known) is None]
    grounds = [history.ground.read()] if history.ground else []
    fresh = [one for one in [*(read for _, read in told), *decided] if history.is_new(one.key)]
    graph = read_graph([*grounds, *fresh], history.issued)
    merged = merge_entity(graph, policy.merge_policy)
    state = copy(history.state)
    for base_version in [*(one.base for one in history.said), *(one.base_version for one in history.acts)]:
        claim(state, base_version)
    ground = history.ground.number if history.ground else 0
    claim(state, ground - 1)
    issued = adopt(state, graph, merged, history.issued, slot=history.slot, ground=ground)
    waits = [
        *(Wait(one, graph.held.get(read.key), read.key in graph.forced) for one, read in told),
        *(Wait(one, None) for one in history.said if not one.counts),
        *(Wait(one, one.find_missing(known)) for one in history.decisions),
    ]
    state.is_settled = state.is_settled and not any(one.missing for one in waits)
    return Folded(history, graph, state, merged, issued, waits)


def _read_counting(history: History) -> Iterable[tuple[SaidFacts, Contribution]]:
    originals: dict[str, Contribution] = {}
    for one in sorted(history.said, key=lambda one: (one.base_version or 0, one.instance_id, one.id)):
        if one.counts or one.superseded:
            originals.setdefault(one.key, one.read())
    for one in history.said:
        if one.counts:
            read = _take_place(one.read(), originals[one.key])
            yield one, replace(read, forced=one.record in history.released)


def _take_place(edit: Contribution, original: Contribution) -> Contribution:
    """The edit's values where its original stood: on the tablet, the edited form has seen its own original.

    It was observed when the original was; it neither comes after itself nor after what came in between.
    """
    return replace(original, values=edit.values)
