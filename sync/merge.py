"""The values of one entity, merged three ways by the policy of each property. Pure; who had seen what: branches.py.

Nothing is lost here: every value stays with the contribution that brought it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from forms.programme import MergePolicy
from sync.branches import Contribution, Graph

LABEL = "label"


@dataclass(frozen=True, slots=True)
class Merged:
    """What an entity says now. `conflicts` pairs contribution and value for each property that a human must judge."""

    label: str
    values: Mapping[str, str]
    conflicts: Mapping[str, tuple[tuple[str, str], ...]]


def merge_entity(graph: Graph, find_policy: Callable[[str], MergePolicy]) -> Merged:
    """Merge every property by its policy; the same graph gives the same values in any order of arrival."""
    names = sorted({name for one in graph.order for name in one.values})
    values: dict[str, str] = {}
    conflicts: dict[str, tuple[tuple[str, str], ...]] = {}
    for name in names:
        policy = find_policy(name)
        merging = _Merging(graph, name, policy)
        writes = merging.writes_among(graph.ancestors)
        values[name] = merging.merge(writes)
        rivals = merging.find_rivals(writes)
        if policy.rule == "review" and len({one.values[name] for one in rivals}) > 1:
            conflicts[name] = tuple((one.key, one.values[name]) for one in sorted(rivals, key=lambda one: one.key))
    return Merged(values.pop(LABEL, ""), values, conflicts)


class _Merging:
    """One property of one entity. What a contribution had before its eyes is computed once."""

    def __init__(self, graph: Graph, name: str, policy: MergePolicy) -> None:
        self.graph, self.name, self.policy = graph, name, policy
        self.bases: dict[frozenset[str], str | None] = {}

    def writes_among(self, keys: Iterable[str]) -> list[Contribution]:
        within = set(keys)
        return [one for one in self.graph.order if one.key in within and self.name in one.values]

    def merge(self, writes: list[Contribution]) -> str:
        # A state never goes back, not even where somebody who had seen it says so.
        candidates = writes if self.policy.rule == "forward" else self.find_rivals(writes)
        return _choose(self.policy, [one.values[self.name] for one in sorted(candidates, key=lambda one: one.rank)])

    def find_rivals(self, writes: list[Contribution]) -> list[Contribution]:
        """The writes that nobody wrote over. One that repeats what its tablet had before it changes nothing."""
        over = frozenset[str]().union(*(self.graph.ancestors[one.key] for one in writes))
        last = [one for one in writes if one.key not in over]
        if len(last) < 2:
            return last
        changed = [one for one in last if one.values[self.name] != self._base_of(one)]
        return changed or last

    def _base_of(self, one: Contribution) -> str | None:
        seen = self.graph.ancestors[one.key]
        if seen not in self.bases:
            writes = self.writes_among(seen)
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
