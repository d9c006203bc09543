"""Bars of a waterfall lie on one line and follow each other."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.web.waterfall import place_bars
from sync.linkage.explain import Step


def waterfall(*bits: float) -> list[Step]:
    return [Step("given", one, sum(bits[: place + 1])) for place, one in enumerate(bits)]


@given(st.lists(st.floats(-60, 60).filter(lambda one: one == 0 or abs(one) > 0.01), min_size=1, max_size=12))
def test_each_bar_lies_on_the_line_and_begins_where_the_last_one_ended(bits: list[float]) -> None:
    bars = place_bars(waterfall(*bits))
    for bar in bars:
        assert 0 <= bar.start <= 100
        assert bar.start + bar.width <= 100.5
    for bar, after in pairwise(bars):
        end = bar.start if bar.speaks == "against" else bar.start + (bar.width if bar.speaks == "for" else 0)
        begin = after.start + after.width if after.speaks == "against" else after.start
        assert end == pytest.approx(begin, abs=0.5)


@pytest.mark.parametrize(("bits", "speaks"), [(2.0, "for"), (-2.0, "against"), (0.0, "neither")])
def test_a_bar_tells_what_it_speaks_for(bits: float, speaks: str) -> None:
    assert place_bars(waterfall(bits))[0].speaks == speaks
