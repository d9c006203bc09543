"""The values of one entity, merged three ways by the policy of each property. Pure; who had seen what: branches.py.

Nothing is lost here: every value stays with the contribution that brought it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Literal

from forms.programme import MergePolicy
from sync.branches import Contribution, Graph

LABEL = "label"
Outcome = Literal["stands", "open", "repeated", "replaced", "outranked"]
# A deletion is a value like any other: the moment of it, or "" where the entity was restored. No list may have a
# property of this name (ODK Entities spec: two underscores are the server's).
DELETED = "__deleted"


@dataclass(frozen=True, slots=True)
class Merged:
    """What an entity says now. `conflicts` pairs contribution and value for each property that a human must judge.

    `bases` holds for each of these what all its rivals had before them; absent where there was nothing.
    """

    label: str
    values: Mapping[str, str]
    conflicts: Mapping[str, tuple[tuple[str, str], ...]]
    bases: Mapping[str, str] = field(default_factory=dict)
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one value that somebody gave to a property; `before` is what they had before them.

    stands: the entity says so. open: a human must choose. repeated: it is what they had before them. replaced: `by`
    had seen it and wrote over it. outranked: of values that had not seen each other the policy chose `by`.
    """

    key: str
    value: str
    before: str | None
    outcome: Outcome
    by: str | None = None


def merge_entity(graph: Graph, find_policy: Callable[[str], MergePolicy]) -> Merged:
    """Merge every property by its policy; the same graph gives the same values in any order of arrival."""
    names = sorted({name for one in graph.order for name in one.values})
    values: dict[str, str] = {}
    conflicts: dict[str, tuple[tuple[str, str], ...]] = {}
    bases: dict[str, str] = {}
    for name in names:
        policy = find_policy(name)
        merging = _Merging(graph, name, policy)
        values[name] = merging.merge(merging.writes)
        rivals = merging.find_rivals(merging.writes)
        if merging.is_disputed(rivals):
            conflicts[name] = tuple((one.key, one.values[name]) for one in sorted(rivals, key=lambda one: one.key))
            bases.update(merging.find_base(rivals))
    deleted = values.pop(DELETED, "")
    gone = datetime.fromisoformat(deleted) if deleted else None
    return Merged(values.pop(LABEL, ""), values, conflicts, bases, gone)


def explain_property(graph: Graph, name: str, policy: MergePolicy) -> list[Fate]:
    """Say of every value that was given to a property what became of it, in the order in which they stand."""
    return list(_Merging(graph, name, policy).find_fates())


def advance(policy: MergePolicy, before: str | None, value: str) -> str:
    """The value after a write that had seen everything before it; the same as merging the whole history."""
    # A state never goes back, not even where somebody who had seen it says so.
    return _choose(policy, [before, value] if policy.rule == "forward" and before is not None else [value])


class _Merging:
    """One property of one entity. What a contribution had before its eyes is computed once."""

    def __init__(self, graph: Graph, name: str, policy: MergePolicy) -> None:
        self.graph, self.name, self.policy = graph, name, policy
        self.writes = [one for one in graph.order if name in one.values]
        self.bases: dict[int, str | None] = {}

    def merge(self, writes: list[Contribution]) -> str:
        candidates = self._find_candidates(writes)
        return _choose(self.policy, [one.values[self.name] for one in sorted(candidates, key=lambda one: one.rank)])

    def find_rivals(self, writes: list[Contribution]) -> list[Contribution]:
        """The writes that nobody wrote over. One that repeats what its tablet had before it changes nothing."""
        over = self._seen_by(writes)
        last = [one for one in writes if not over & self.graph.bits[one.key]]
        if len(last) < 2:
            return last
        # Whoever decides says so, also where the value stays: a value that they did not see is a rival.
        changed = [one for one in last if one.shown is not None or one.values[self.name] != self._base_of(one)]
        return changed or last

    def find_base(self, rivals: list[Contribution]) -> dict[str, str]:
        """What all rivals had seen of this property."""
        common = ~0
        for one in rivals:
            common &= self.graph.seen[one.key]
        value = self._value_among(common)
        return {} if value is None else {self.name: value}

    def find_fates(self) -> Iterator[Fate]:
        """What became of each write among all the others."""
        chosen, rivals = self.merge(self.writes), self.find_rivals(self.writes)
        standing = [one for one in self._find_candidates(self.writes) if self._is_part(one.values[self.name], chosen)]
        disputed = rivals if self.is_disputed(rivals) else []
        for one in self.writes:
            before = self._base_of(one)
            outcome, by = self._judge(one, before, standing, disputed)
            yield Fate(one.key, one.values[self.name], before, outcome, by)

    def _judge(
        self, one: Contribution, before: str | None, standing: list[Contribution], disputed: list[Contribution]
    ) -> tuple[Outcome, str | None]:
        if one in disputed:
            return "open", None
        if one in standing:
            return "stands", None
        if one.values[self.name] == before and one.shown is None:
            return "repeated", None
        over = next((other for other in self.writes if self.graph.seen[other.key] & self.graph.bits[one.key]), None)
        if over is not None:
            return "replaced", over.key
        return "outranked", max(standing, key=lambda winner: winner.rank).key

    def is_disputed(self, rivals: list[Contribution]) -> bool:
        """Whether a human must choose between the rivals."""
        return self.policy.rule == "review" and len({one.values[self.name] for one in rivals}) > 1

    def _is_part(self, value: str, chosen: str) -> bool:
        return set(value.split()) <= set(chosen.split()) if self.policy.rule == "union" else value == chosen

    def _find_candidates(self, writes: list[Contribution]) -> list[Contribution]:
        return self._find_states(writes) if self.policy.rule == "forward" else self.find_rivals(writes)

    def _find_states(self, writes: list[Contribution]) -> list[Contribution]:
        """A state never goes back, unless a person decides so: that sets aside the states that they were shown."""
        over = self._seen_by([one for one in writes if one.shown is not None])
        return [one for one in writes if not over & self.graph.bits[one.key]]

    def _seen_by(self, writes: list[Contribution]) -> int:
        seen = 0
        for one in writes:
            seen |= self.graph.seen[one.key]
        return seen

    def _base_of(self, one: Contribution) -> str | None:
        return self._value_among(self.graph.seen[one.key])

    def _value_among(self, seen: int) -> str | None:
        if seen not in self.bases:
            writes = [one for one in self.writes if seen & self.graph.bits[one.key]]
            self.bases[seen] = self.merge(writes) if writes else None
        return self.bases[seen]


def _choose(policy: MergePolicy, values: list[str]) -> str:
    """The value that stands; `values` come in the order in which they were observed."""
    if policy.rule == "union":
        return " ".join(sorted({token for value in values for token in value.split()}))
    if policy.rule in ("highest", "forward"):
        return max(values, key=partial(_height, policy.order))
    return values[-1]


def _height(order: tuple[str, ...], value: str) -> tuple[float, str]:
    if value in order:
        return float(order.index(value)), value
    # Without a declared order numbers count; what is neither stands below everything.
    plain = not order and value.isascii() and value.isdecimal()
    return (float(value) if plain else -1.0), value
