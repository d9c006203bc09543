"""What the other records of two persons say about a pair: the weight between groups instead of between records.

Groups are joined two at a time, always those whose records weigh most against each other on average. A stranger of the
same name may resemble one record of a person closely; the person's other records then speak against them.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sync.linkage.decision import Pair

Ends = tuple[str, str]


def weigh_groups(pairs: Sequence[Pair], floor: float = 0.0, unknown: float = -6.0) -> list[Pair]:
    """The pairs with the weight at which their groups join; below `floor` no more than they weigh alone.

    Two records that were no candidates weigh `unknown` against each other. Pairs that only a group brings together
    come in addition, without corroboration of their own. The order of the pairs changes nothing.
    """
    joined = _Joining(pairs, floor, unknown).run()
    given = {(pair.one, pair.other) for pair in pairs}
    known = [replace(pair, bits=joined.get((pair.one, pair.other), min(pair.bits, floor))) for pair in pairs]
    return known + [Pair(*ends, bits) for ends, bits in sorted(joined.items()) if ends not in given]


class _Joining:
    """Average linkage. Groups are numbered, first the records in order, then each new group by the next number."""

    def __init__(self, pairs: Iterable[Pair], floor: float, unknown: float) -> None:
        self.floor, self.unknown = floor, unknown
        heavy = [pair for pair in pairs if pair.bits >= floor]
        self.members = [[name] for name in sorted({end for pair in heavy for end in (pair.one, pair.other)})]
        number = {own[0]: place for place, own in enumerate(self.members)}
        # For each group the sums of weights towards others, over the pairs that are known to be heavy.
        self.sums: dict[int, dict[int, float]] = {place: {} for place in range(len(self.members))}
        for pair in heavy:
            one, other = number[pair.one], number[pair.other]
            self.sums[one][other] = self.sums[other][one] = pair.bits
        # Pairs come with the smaller record id first, and numbers follow the ids.
        self.queue = [(-pair.bits, number[pair.one], number[pair.other]) for pair in heavy]
        heapq.heapify(self.queue)

    def run(self) -> Mapping[Ends, float]:
        """Join while groups weigh at least the floor; the weight at which each two records came together."""
        found: dict[Ends, float] = {}
        while self.queue:
            bits, one, other = heapq.heappop(self.queue)
            if one in self.sums and other in self.sums:
                for left in self.members[one]:
                    found.update(((min(left, right), max(left, right)), -bits) for right in self.members[other])
                self._join(one, other)
        return found

    def _join(self, one: int, other: int) -> None:
        number = len(self.members)
        mine, theirs = self.sums.pop(one), self.sums.pop(other)
        self.members.append(sorted(self.members[one] + self.members[other]))
        self.sums[number] = {}
        for third in sorted((mine.keys() | theirs.keys()) - {one, other}):
            near = self.sums[third]
            near.pop(one, None)
            near.pop(other, None)
            size = len(self.members[third])
            total = self._sum(mine, third, one, size) + self._sum(theirs, third, other, size)
            near[number] = self.sums[number][third] = total
            average = total / (size * len(self.members[number]))
            if average >= self.floor:
                heapq.heappush(self.queue, (-average, third, number))

    def _sum(self, sums: dict[int, float], third: int, group: int, size: int) -> float:
        return sums.get(third, self.unknown * size * len(self.members[group]))
