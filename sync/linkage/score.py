"""The match weight of two records: log2 of the odds that they are of one person, and the parts it is made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log2
from operator import attrgetter

from sync.linkage.comparisons import COMPARISONS
from sync.linkage.features import FREQUENCIES, Features
from sync.linkage.model import LinkModel

PRIOR = "prior"
_COLUMNS: Sequence[tuple[int, Callable[[Features], float]]] = tuple(
    (Features._fields.index(name), attrgetter(f"tf_{name}")) for name in FREQUENCIES
)


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
        self._comparisons: list[tuple[Callable[[Features, Features], int], list[float]]] = [
            (one.find_cell, weights) for one, weights in zip(COMPARISONS, self._weights, strict=True)
        ]
        self._usual = [log2(model.usual[name]) for name in FREQUENCIES]

    def score(self, one: Features, other: Features) -> float:
        """The weight in bits; the same whichever comes first."""
        return self.compare(one, other) + self.prior_bits

    def compare(self, one: Features, other: Features) -> float:
        """The weight without the prior: what the two records say, however large the registry is."""
        bits = 0.0
        for find_cell, weights in self._comparisons:
            bits += weights[find_cell(one, other)]
        return bits + sum(self._rarities(one, other))

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
        found = []
        for (value, share), usual in zip(_COLUMNS, self._usual, strict=True):
            agrees = one[value] is not None and one[value] == other[value]
            found.append(usual - log2(max(share(one), share(other))) if agrees else 0.0)
        return found
