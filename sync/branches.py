"""The version graph of one entity: what each contribution had seen, what must wait, and in which order they stand.

Pure, and a function of the set alone: causality first, then the record's own end, then its instanceID. The time of
receipt is not known here. What the values become is merge.py's work.
"""

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

_NEVER = datetime.min.replace(tzinfo=UTC)
# What a relay was given of an entity as a whole: everything that is known of it here came after that.
GROUND = "ground"


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one submission says about one entity. `key` is the same for a record and its edits.

    `forced` tells that it waited for too long: it is then applied without what it waits for. A person's decision has
    `shown`: the values, by contribution, that the person chose between, and so the only ones that it outranks.
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
    shown: Mapping[str, str] | None = None

    @property
    def rank(self) -> tuple[datetime, str, str]:
        """The order of what nobody had seen of each other: the record's own end, then its instanceID."""
        return self.ended_at or _NEVER, self.instance_id, self.key

    @property
    def begins(self) -> bool:
        """Whether it makes the entity: an upsert without a base version found nothing to update."""
        return self.creates and self.base_version is None

    @property
    def predecessor(self) -> tuple[str, int] | None:
        """Branch and base version of the update that its tablet made before it; None where it is based on the server's.

        A branch's first update is based on the served version that it names, each later one on the branch's update
        with one version less (ODK Entities spec 2024.1).
        """
        base = self.base_version or 1
        return (self.branch_id, base - 1) if self.branch_id and base > (self.trunk_version or 1) else None


@dataclass(frozen=True, slots=True)
class Issued:
    """A served number by what came into it and what left it since another one.

    `after` is that other one, 0 where there is none. None: the one before it in their order.
    """

    number: int
    added: Collection[str]
    removed: Collection[str] = ()
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Graph:
    """`order` is what is applied; `held` says what the others wait for; `forced` are applied without what is missing.

    `bits` gives each contribution a bit, and `seen` the bits of all that an applied one had seen: a long history then
    costs a few machine words for each of its updates.
    """

    order: tuple[Contribution, ...]
    bits: Mapping[str, int]
    seen: Mapping[str, int]
    held: Mapping[str, str]
    forced: frozenset[str]

    def ancestors(self, key: str) -> frozenset[str]:
        """Everything that an applied contribution had seen."""
        return frozenset(other for other, bit in self.bits.items() if self.seen[key] & bit)


def read_graph(contributions: Iterable[Contribution], issued: Iterable[Issued]) -> Graph:
    """Find what each contribution had seen, from its versions and its branch (ODK Entities spec 2024.1).

    `issued` tells, in the order of numbers, which contributions were inside a served one. Number 1 is always the
    creation.
    """
    graph = _Builder({one.key: one for one in contributions}, issued)
    for one in graph.by_base():
        graph.place(one)
    return graph.finish()


class _Builder:
    def __init__(self, known: Mapping[str, Contribution], issued: Iterable[Issued]) -> None:
        self.known = known
        self.bits = {key: 1 << place for place, key in enumerate(sorted(known))}
        self.inside = self._read_inside(issued)
        self.seen: dict[str, int] = {}
        self.placed = 0
        self.held: dict[str, str] = {}
        self.forced: set[str] = set()
        self.first = min((one for one in known.values() if one.begins), key=lambda one: one.rank, default=None)
        self.branches: dict[tuple[str | None, int | None], list[str]] = {}
        for one in known.values():
            self.branches.setdefault((one.branch_id, one.base_version), []).append(one.key)

    def _read_inside(self, issued: Iterable[Issued]) -> dict[int, int]:
        found: dict[int, int] = {}
        start = inside = self._mask((GROUND,))
        for one in issued:
            if one.after is not None:
                # A relay knows the centre's numbers by its ground alone. Else what is told from an unknown one waits.
                if one.after and not start and one.after not in found:
                    continue
                inside = found.get(one.after, start)
            inside = (inside | self._mask(one.added)) & ~self._mask(one.removed)
            found[one.number] = inside
        return found

    def _mask(self, keys: Iterable[str]) -> int:
        mask = 0
        for key in keys:
            mask |= self.bits.get(key, 0)
        return mask

    def by_base(self) -> list[Contribution]:
        """What a version contains has lower base versions, so this order meets every parent before its children.

        A decision names the number that was served when it was taken: it comes after all that this number contains.
        """
        return sorted(self.known.values(), key=lambda one: (one.base_version or 0, not one.begins, one.rank))

    def place(self, one: Contribution) -> None:
        missing, parents = self._find_parents(one)
        if missing and not one.forced:
            self.held[one.key] = missing
            return
        if missing:
            self.forced.add(one.key)
        self.seen[one.key] = self._close(parents & self.placed & ~self.bits[one.key])
        self.placed |= self.bits[one.key]

    def _close(self, parents: int) -> int:
        """The parents and all that they had seen: from the latest back, since most parents contain each other."""
        closed, left = parents, parents
        for key in reversed(self.seen):
            if not left:
                break
            if left & self.bits[key]:
                closed |= self.seen[key]
                left &= ~(self.bits[key] | self.seen[key])
        return closed

    def _find_parents(self, one: Contribution) -> tuple[str | None, int]:
        if one.begins:
            return None, 0
        if self.first is None:
            return "creation", 0
        creation = self.bits[self.first.key]
        if one.shown is not None:
            return None, self._mask(key for key, value in one.shown.items() if self._still_says(key, one, value))
        base = one.base_version or 1
        if one.predecessor:
            before = self._mask(self.branches.get(one.predecessor, ())) & self.placed
            return (None, before) if before else (f"branch version {base}", creation)
        inside = self.inside.get(base)
        if base == 1:
            # A branch without a trunk began with the tablet's own creation; others saw the one that was served.
            return None, ((one.trunk_version or not one.branch_id) and inside) or creation
        return (None, inside) if inside is not None else (f"version {base}", creation)

    def _still_says(self, key: str, decision: Contribution, value: str) -> bool:
        """An edit that says otherwise was not shown to whoever decided."""
        (name,) = decision.values
        return key in self.known and self.known[key].values.get(name) == value

    def finish(self) -> Graph:
        return Graph(tuple(self._in_order()), self.bits, self.seen, self.held, frozenset(self.forced))

    def _in_order(self) -> Iterator[Contribution]:
        """By rank, but never before what was seen. Each waits for one that is missing, then looks again."""
        watching: dict[int, list[str]] = {0: list(self.seen)}
        ready: list[tuple[datetime, str, str]] = []
        done = awaited = 0
        while True:
            for key in watching.pop(awaited, ()):
                missing = self.seen[key] & ~done
                if missing:
                    watching.setdefault(missing & -missing, []).append(key)
                else:
                    heapq.heappush(ready, self.known[key].rank)
            if not ready:
                return
            key = heapq.heappop(ready)[2]
            yield self.known[key]
            awaited = self.bits[key]
            done |= awaited
