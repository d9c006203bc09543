"""The version graph of one entity: what each contribution had seen, what must wait, and in which order they stand.

Pure, and a function of the set alone: causality first, then the record's own end, then its instanceID. The time of
receipt is not known here. What the values become is merge.py's work.
"""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one submission says about one entity. `key` is the same for a record and its edits.

    `forced` tells that it waited for too long: it is then applied without what it waits for.
    """

    key: str
    instance_id: str
    ended_at: datetime | None
    creates: bool = False
    base_version: int | None = None
    trunk_version: int | None = None
    branch_id: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    forced: bool = False

    @property
    def rank(self) -> tuple[datetime, str, str]:
        """The order of what nobody had seen of each other: the record's own end, then its instanceID."""
        return self.ended_at or _NEVER, self.instance_id, self.key

    @property
    def begins(self) -> bool:
        """Whether it makes the entity: an upsert without a base version found nothing to update."""
        return self.creates and self.base_version is None


@dataclass(frozen=True, slots=True)
class Graph:
    """`order` is what is applied, `ancestors` what each of these had seen; `held` says what the others wait for.

    `forced` are those that are applied although something is missing before them.
    """

    order: tuple[Contribution, ...]
    ancestors: Mapping[str, frozenset[str]]
    held: Mapping[str, str]
    forced: frozenset[str]


def read_graph(contributions: Iterable[Contribution], issued: Mapping[int, frozenset[str]]) -> Graph:
    """Find what each contribution had seen, from its versions and its branch (ODK Entities spec 2024.1).

    A branch's first update is based on the served version that it names, each later one on the branch's update with
    one version less. `issued` tells which contributions were inside a served number. Number 1 is always the creation.
    """
    graph = _Builder({one.key: one for one in contributions}, issued)
    for one in graph.by_base():
        graph.place(one)
    return graph.finish()


class _Builder:
    def __init__(self, known: Mapping[str, Contribution], issued: Mapping[int, frozenset[str]]) -> None:
        self.known, self.issued = known, issued
        self.ancestors: dict[str, frozenset[str]] = {}
        self.held: dict[str, str] = {}
        self.forced: set[str] = set()
        self.first = min((one for one in known.values() if one.begins), key=lambda one: one.rank, default=None)
        self.branches: dict[tuple[str | None, int | None], list[str]] = {}
        for one in known.values():
            self.branches.setdefault((one.branch_id, one.base_version), []).append(one.key)

    def by_base(self) -> list[Contribution]:
        """What a version contains has lower base versions, so this order meets every parent before its children."""
        return sorted(self.known.values(), key=lambda one: (one.base_version or 0, not one.begins, one.rank))

    def place(self, one: Contribution) -> None:
        missing, parents = self._find_parents(one)
        if missing and not one.forced:
            self.held[one.key] = missing
            return
        if missing:
            self.forced.add(one.key)
        seen = {parent for parent in parents if parent in self.ancestors and parent != one.key}
        self.ancestors[one.key] = frozenset(seen.union(*(self.ancestors[parent] for parent in seen)))

    def _find_parents(self, one: Contribution) -> tuple[str | None, Iterable[str]]:
        if one.begins:
            return None, ()
        if self.first is None:
            return "creation", ()
        base = one.base_version or 1
        if one.branch_id and base > (one.trunk_version or 1):
            before = [key for key in self.branches.get((one.branch_id, base - 1), ()) if key in self.ancestors]
            return (None, before) if before else (f"branch version {base}", (self.first.key,))
        if base == 1:
            return None, (self.first.key,)
        inside = self.issued.get(base)
        return (None, inside) if inside is not None else (f"version {base}", (self.first.key,))

    def finish(self) -> Graph:
        return Graph(tuple(self._in_order()), self.ancestors, self.held, frozenset(self.forced))

    def _in_order(self) -> Iterable[Contribution]:
        children: dict[str, list[str]] = {}
        waiting = {key: len(seen) for key, seen in self.ancestors.items()}
        for key, seen in self.ancestors.items():
            for parent in seen:
                children.setdefault(parent, []).append(key)
        ready = [self.known[key].rank for key, count in waiting.items() if count == 0]
        heapq.heapify(ready)
        while ready:
            key = heapq.heappop(ready)[2]
            yield self.known[key]
            for child in children.get(key, ()):
                waiting[child] -= 1
                if waiting[child] == 0:
                    heapq.heappush(ready, self.known[child].rank)
