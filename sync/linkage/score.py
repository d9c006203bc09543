"""The match weight of two records: log2 of the odds that they are of one person, and the parts it is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, log2

from sync.linkage.comparisons import COMPARISONS, Holds
from sync.linkage.features import FREQUENCIES, Features
from sync.linkage.model import LinkModel

PRIOR = "prior"
# Strangers are seen to be strangers soonest in this order, of all that were tried (1,000,000 records, real candidates).
_ORDER = ("birth", "given", "document", "sex", "household", "origin", "twins")
_COLUMNS = [(name, Features._fields.index(name), Features._fields.index(f"tf_{name}")) for name in FREQUENCIES]


@dataclass(frozen=True, slots=True)
class WeightPart:
    """What one comparison adds. `cell` is the combination of levels that was found, None for prior and rarity."""

    name: str
    bits: float
    cell: int | None = None


# For each part how many levels it has, and what they ask; the weights of the cells; the most that can come after.
_Ladder = tuple[list[tuple[int, list[Holds]]], list[float], float]


def _lay_bare(weights: Mapping[str, list[float]]) -> list[_Ladder]:
    """What Comparison.find_cell does, in one loop: a registry weighs hundreds of candidates for each record.

    The last level of a part always holds, and is not asked.
    """
    by_name = {one.name: one for one in COMPARISONS}
    ladders: list[_Ladder] = []
    rest = 0.0
    for name in reversed(_ORDER):
        parts = [(len(part.levels), [level.holds for level in part.levels[:-1]]) for part in by_name[name].parts]
        ladders.insert(0, (parts, weights[name], rest))
        rest += max(weights[name])
    return ladders


class Scorer:
    """Weighs pairs by one model version, for a registry of so many records."""

    def __init__(self, model: LinkModel, records: int) -> None:
        self.prior_bits = model.prior_bits(records)
        self._weights = [[log2(m / u) for m, u in model.cells[one.name]] for one in COMPARISONS]
        self._ladders = _lay_bare(dict(zip([one.name for one in COMPARISONS], self._weights, strict=True)))
        self._rarity = [(value, share, log2(model.usual[name])) for name, value, share in _COLUMNS]

    def score(self, one: Features, other: Features) -> float:
        """The weight in bits; the same whichever comes first."""
        return self.compare(one, other) + self.prior_bits

    def compare(self, one: Features, other: Features, least: float = -inf) -> float:
        """The weight without the prior: what the two records say, however large the registry is.

        One that cannot reach `least` any more is -inf.
        """
        bits = sum(self._rarities(one, other))
        for ladders, weights, rest in self._ladders:
            cell = 0
            for size, levels in ladders:
                place = 0
                for holds in levels:
                    if holds(one, other):
                        break
                    place += 1
                cell = cell * size + place
            bits += weights[cell]
            if bits + rest < least:
                return -inf
        return bits

    def weigh(self, one: Features, other: Features) -> list[WeightPart]:
        """The parts whose sum is the weight, in the order in which they are told."""
        parts = [WeightPart(PRIOR, self.prior_bits)]
        for comparison, weights in zip(COMPARISONS, self._weights, strict=True):
            cell = comparison.find_cell(one, other)
            parts.append(WeightPart(comparison.name, weights[cell], cell))
        rarities = zip(FREQUENCIES, self._rarities(one, other), strict=True)
        return parts + [WeightPart(f"{name}_rarity", bits) for name, bits in rarities if bits]

    def _rarities(self, one: Features, other: Features) -> list[float]:
        """How much rarer, or more common, than usual the values are on which both agree."""
        return [
            usual - log2(max(one[share], other[share]))  # type: ignore[type-var, arg-type]
            if one[value] == other[value] is not None
            else 0.0
            for value, share, usual in self._rarity
        ]
