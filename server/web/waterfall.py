"""The waterfall of bits as bars: where each step begins and ends on a line from the lowest to the highest sum."""

from collections.abc import Sequence
from dataclasses import dataclass

from sync.linkage.explain import Step

# A little room at both ends, so that a bar that touches the edge is seen to end.
_ROOM = 0.02


@dataclass(frozen=True, slots=True)
class Bar:
    """One step, in hundredths of the line. `zero` is where the odds are even."""

    step: Step
    start: float
    width: float
    zero: float

    @property
    def speaks(self) -> str:
        """For, against, or neither."""
        return "for" if self.step.bits > 0 else "against" if self.step.bits < 0 else "neither"


def place_bars(steps: Sequence[Step]) -> list[Bar]:
    """The steps of a waterfall on one line."""
    sums = [0.0, *(step.total for step in steps), *(step.total - step.bits for step in steps)]
    low, high = min(sums), max(sums)
    room = (high - low or 1.0) * _ROOM
    scale = 100 / (high - low + 2 * room)

    def place(total: float) -> float:
        return round((total - low + room) * scale, 2)

    return [
        Bar(
            step,
            place(min(step.total, step.total - step.bits)),
            max(0.4, round(abs(step.bits) * scale, 2)),
            place(0),
        )
        for step in steps
    ]  # fmt: skip
