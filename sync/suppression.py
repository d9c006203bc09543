"""Counts so small that they would tell of somebody are hidden, and so is what would give them away. Pure values."""

from collections.abc import Mapping
from typing import TypeVar

SMALL_CELL = 5

_Key = TypeVar("_Key")


def suppress(counts: Mapping[_Key, int]) -> dict[_Key, int | None]:
    """Hide (None) 1 to 4, and further counts until the sum of all cannot tell them; zero says nothing and stays."""
    hidden = {key for key, count in counts.items() if 0 < count < SMALL_CELL}
    others = iter(sorted((key for key, count in counts.items() if count >= SMALL_CELL), key=lambda key: counts[key]))
    # Whoever knows the sum knows what all hidden ones make together: that must be several, and not few.
    while hidden and (len(hidden) == 1 or sum(counts[key] for key in hidden) < SMALL_CELL):
        more = next(others, None)
        if more is None:
            break
        hidden.add(more)
    return {key: None if key in hidden else count for key, count in counts.items()}
