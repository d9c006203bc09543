"""Why two records weigh what they do: a waterfall of bits, each step with the level that was found."""

from dataclasses import dataclass

from sync.linkage.comparisons import COMPARISONS
from sync.linkage.features import Features
from sync.linkage.score import Scorer

_BY_NAME = {one.name: one for one in COMPARISONS}


@dataclass(frozen=True, slots=True)
class Step:
    """One bar of the waterfall. `levels` pairs each part of the comparison with the label of its level."""

    name: str
    bits: float
    total: float
    levels: tuple[tuple[str, str], ...] = ()


def explain(scorer: Scorer, one: Features, other: Features) -> list[Step]:
    """The steps from the prior to the weight; the last total is the weight."""
    steps: list[Step] = []
    total = 0.0
    for part in scorer.weigh(one, other):
        total += part.bits
        levels = () if part.cell is None else _BY_NAME[part.name].describe_cell(part.cell)
        steps.append(Step(part.name, part.bits, total, levels))
    return steps
