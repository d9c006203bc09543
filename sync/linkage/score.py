"""The match weight of two records: log2 of the odds that they are of one person, and the parts it is made of."""

from dataclasses import dataclass
from math import inf, log2
from typing import Any

from sync.linkage.comparisons import COMPARISONS
from sync.linkage.features import FREQUENCIES, Features
from sync.linkage.ladders import Find
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


class Scorer:
    """Weighs pairs by one model version, for a registry of so many records."""

    def __init__(self, model: LinkModel, records: int) -> None:
        self.prior_bits = model.prior_bits(records)
        self._weights = [[log2(m / u) for m, u in model.cells[one.name]] for one in COMPARISONS]
        self._steps = self._order_steps()
        self._rarity = [(value, share, log2(model.usual[name])) for name, value, share in _COLUMNS]

    def score(self, one: Features, other: Features) -> float:
        """The weight in bits; the same whichever comes first."""
        return self.compare(one, other) + self.prior_bits

    def compare(self, one: Features, other: Features, least: float = -inf) -> float:
        """The weight without the prior: what the two records say, however large the registry is.

        One that cannot reach `least` any more is -inf.
        """
        bits = 0.0
        for value, share, usual in self._rarity:
            if one[value] == other[value] is not None:
                bits += _rarity(usual, one[share], other[share])
        for find_cell, weights, rest in self._steps:
            bits += weights[find_cell(one, other)]
            if bits + rest < least:
                return -inf
        return bits

    def weigh(self, one: Features, other: Features) -> list[WeightPart]:
        """The parts whose sum is the weight, in the order in which they are told."""
        parts = [WeightPart(PRIOR, self.prior_bits)]
        for comparison, weights in zip(COMPARISONS, self._weights, strict=True):
            cell = comparison.find_cell(one, other)
            parts.append(WeightPart(comparison.name, weights[cell], cell))
        rarities = [
            (name, _rarity(usual, one[share], other[share]))
            for name, (value, share, usual) in zip(FREQUENCIES, self._rarity, strict=True)
            if one[value] == other[value] is not None
        ]
        return parts + [WeightPart(f"{name}_rarity", bits) for name, bits in rarities if bits]

    def _order_steps(self) -> list[tuple[Find, list[float], float]]:
        """How a cell is found, the weights of the cells, and the most that can come after."""
        found = {one.name: (one.find_cell, own) for one, own in zip(COMPARISONS, self._weights, strict=True)}
        steps: list[tuple[Find, list[float], float]] = []
        rest = 0.0
        for find_cell, weights in (found[name] for name in reversed(_ORDER)):
            steps.insert(0, (find_cell, weights, rest))
            rest += max(weights)
        return steps


def _rarity(usual: float, one: Any, other: Any) -> float:
    """How much rarer, or more common, than usual a value is on which both agree, by the shares that have it."""
    return usual - log2(max(one, other))
