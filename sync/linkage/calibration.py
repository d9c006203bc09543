"""Whether weights mean what they say: of pairs that weigh so much, how many people found to be one person."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from math import exp2, floor

_WIDTH = 4
_LOWEST, _HIGHEST = -12, 28


@dataclass(frozen=True, slots=True)
class Bin:
    """Labelled pairs of like weight: how many of them should be of one person by their weights, and how many are."""

    from_bits: int
    pairs: int
    expected: float
    observed: float


def calibrate(labelled: Iterable[tuple[float, bool]]) -> list[Bin]:
    """Labelled pairs by their weight, four bits at a time; the lowest and the highest bin take in all beyond.

    People are asked about the heaviest first, so the bins are filled unevenly, but within one nothing else than chance
    and urgency chooses: each may be read for itself, and their sum may not.
    """
    bins: defaultdict[int, list[tuple[float, bool]]] = defaultdict(list)
    for bits, same in labelled:
        bins[min(_HIGHEST, max(_LOWEST, _WIDTH * floor(bits / _WIDTH)))].append((bits, same))
    return [
        Bin(
            from_bits,
            len(found),
            sum(to_probability(bits) for bits, _ in found) / len(found),
            sum(same for _, same in found) / len(found),
        )
        for from_bits, found in sorted(bins.items())
    ]


def find_error(bins: Iterable[Bin]) -> float | None:
    """How far expected and observed shares are apart, on average over the pairs; None without any."""
    known = list(bins)
    pairs = sum(one.pairs for one in known)
    return sum(one.pairs * abs(one.expected - one.observed) for one in known) / pairs if pairs else None


def to_probability(bits: float) -> float:
    """The probability that a pair of this weight is of one person."""
    return 1 / (1 + exp2(-bits))
