"""How fast we go, and how long we wait."""

import pytest

from sync.peer_pace import Pace, Patience


def test_pace_bounds_requests_and_bytes() -> None:
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    pace = Pace(2, 1000, sleep, lambda: now[0])
    for _ in range(3):
        pace.start_request()
    pace.move(1000)
    pace.move(1)
    assert slept == [0.5, 0.5, 0.5, 1.0]


@pytest.mark.parametrize(("tried", "longest"), [(0, 2), (1, 4), (3, 16), (30, 120)])
def test_each_pause_is_twice_as_long_up_to_two_minutes(tried: int, longest: float) -> None:
    pauses = {Patience(pause_s=2).pause(tried) for _ in range(50)}
    assert longest / 2 <= min(pauses) < max(pauses) <= longest
