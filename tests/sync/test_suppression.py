"""Small counts: what is hidden, and that no sum gives it away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.suppression import SMALL_CELL, suppress


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ([0], [0]),
        ([5, 9], [5, 9]),
        ([1], [None]),
        ([4, 0], [None, 0]),
        ([3, 8, 20], [None, None, 20]),
        ([1, 1, 7, 30], [None, None, None, 30]),
        ([3, 3, 30], [None, None, 30]),
    ],
)
def test_small_counts_are_hidden_with_what_would_tell_them(counts: list[int], shown: list[int | None]) -> None:
    assert list(suppress(dict(enumerate(counts))).values()) == shown


@given(st.dictionaries(st.integers(), st.integers(0, 40)))
def test_no_sum_gives_a_hidden_count_away(counts: dict[int, int]) -> None:
    shown = suppress(counts)
    hidden = [counts[key] for key, count in shown.items() if count is None]
    assert all(count is None or count == 0 or count >= SMALL_CELL for count in shown.values())
    assert not hidden or (len(hidden) > 1 and sum(hidden) >= SMALL_CELL) or not any(shown.values())
