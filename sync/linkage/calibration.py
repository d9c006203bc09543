"""Whether weights mean what they say: of pairs that weigh so much, how many people found to be one person.

People look at some pairs because they are asked, at others because they were drawn, one in many. What they found
speaks for as many pairs as it was drawn from; without that, links would be judged by what somebody complained of.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from math import exp2, floor

from sync.linkage.decision import Verdict

WIDTH, LOWEST = 4, -12
_HIGHEST = 28


@dataclass(frozen=True, slots=True)
class Label(Verdict):
    """What people said of two records, and for how many pairs it speaks: one over the chance that they were shown it.

    None at all where nobody was shown the pair, and it is known because somebody saw that it was wrong.
    """

    stands_for: float = 1.0


@dataclass(frozen=True, slots=True)
class Bin:
    """Labelled pairs of like weight: which share should be of one person by their weights, and which is.

    Both are shares of the pairs that the labels stand for.
    """

    from_bits: int
    pairs: int
    expected: float
    observed: float


def find_bin(bits: float) -> int:
    """From how many bits on the pairs are told with one of this weight."""
    return min(_HIGHEST, max(LOWEST, WIDTH * floor(bits / WIDTH)))


def calibrate(labelled: Iterable[tuple[float, Label]]) -> list[Bin]:
    """Labelled pairs by their weight, four bits at a time; the lowest and the highest bin take in all beyond.

    The heaviest questions come first, so the bins are filled unevenly; among questions of one bin nothing but urgency
    chooses, and that alone would let each bin be read for itself. But links are seen by a sample and questions by all,
    and both stand in the bins around the threshold: so every label counts for as many pairs as it was drawn from.
    """
    bins: defaultdict[int, list[tuple[float, Label]]] = defaultdict(list)
    for bits, label in labelled:
        if label.stands_for:
            bins[find_bin(bits)].append((bits, label))
    return [_sum_up(from_bits, found) for from_bits, found in sorted(bins.items())]


def _sum_up(from_bits: int, found: list[tuple[float, Label]]) -> Bin:
    everything = sum(label.stands_for for _, label in found)
    expected = sum(label.stands_for * to_probability(bits) for bits, label in found)
    observed = sum(label.stands_for for _, label in found if label.same)
    return Bin(from_bits, len(found), expected / everything, observed / everything)


def find_error(bins: Iterable[Bin]) -> float | None:
    """How far expected and observed shares are apart, on average over the labels; None without any."""
    known = list(bins)
    pairs = sum(one.pairs for one in known)
    return sum(one.pairs * abs(one.expected - one.observed) for one in known) / pairs if pairs else None


def to_probability(bits: float) -> float:
    """The probability that a pair of this weight is of one person."""
    return 1 / (1 + exp2(-bits))
