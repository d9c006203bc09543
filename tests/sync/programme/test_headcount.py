"""The equation of an event: who is accounted for, and when somebody must look."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sync.programme.headcount import Headcount, read_headcount

NOW = datetime(2026, 3, 9, 9, 30, tzinfo=UTC)
EVENT = "e0e0e0e0-0000-4000-8000-000000000001"
PATIENCE = timedelta(hours=48)


def headcount(arrivals: int = 0, disputed: bool = False, **said: str) -> Headcount:
    properties = {"type": "secours_mer", "date": "2026-03-02T09:30:00.000Z", "n_vivants": "12", **said}
    return read_headcount(EVENT, "CADKR", properties, arrivals, disputed=disputed)


@pytest.mark.parametrize(
    ("arrivals", "said", "gap"),
    [
        pytest.param(12, {}, 0, id="all arrived"),
        pytest.param(0, {}, 12, id="nobody came yet"),
        pytest.param(9, {"n_ailleurs": "2", "n_refus": "1"}, 0, id="some elsewhere, one refused"),
        pytest.param(9, {"n_ailleurs": "2"}, 1, id="one is missing from the count"),
        pytest.param(13, {}, -1, id="one too many"),
        pytest.param(12, {"n_morts": "3", "n_disparus": "2"}, 0, id="dead and missing stand apart"),
        pytest.param(0, {"n_vivants": "0", "n_morts": "3"}, 0, id="nobody lived"),
        pytest.param(12, {"n_ailleurs": "", "n_refus": ""}, 0, id="nobody said is nobody"),
        pytest.param(12, {"n_vivants": ""}, None, id="the living were never counted"),
        pytest.param(12, {"n_ailleurs": "deux"}, None, id="a number in words"),
        pytest.param(12, {"n_refus": "-1"}, None, id="a number below zero"),
        pytest.param(12, {"n_vivants": "9999999"}, None, id="a number that nobody means"),
    ],
)
def test_living_are_those_who_arrived_are_elsewhere_or_refused(
    arrivals: int, said: dict[str, str], gap: int | None
) -> None:
    assert headcount(arrivals, **said).gap == gap


@pytest.mark.parametrize(
    ("date", "state"),
    [
        pytest.param("2026-03-07T09:30:00.000Z", "open", id="two days ago to the minute"),
        pytest.param("2026-03-07T09:31:00.000Z", "young", id="a minute less"),
        pytest.param("2026-03-07T10:30:00.000+01:00", "open", id="the same moment elsewhere"),
        pytest.param("2026-03-07 09:30", "open", id="without a zone it is Senegal's"),
        pytest.param("2026-03-01", "open", id="a day"),
        pytest.param("hier", "open", id="a day that cannot be read is old"),
        pytest.param("", "open", id="no day is old"),
        pytest.param("0001-01-01T00:00:00+14:00", "open", id="a day before the calendar"),
        pytest.param("2031-01-01T00:00:00Z", "young", id="a clock that is ahead"),
    ],
)
def test_somebody_must_look_once_arrivals_had_their_time(date: str, state: str) -> None:
    assert headcount(date=date).find_state((), NOW, PATIENCE) == state


def test_a_count_that_closes_asks_for_nobody() -> None:
    assert headcount(12).find_state((), NOW, PATIENCE) == "closed"


def test_an_explanation_covers_the_numbers_that_it_was_shown() -> None:
    explained = [headcount(11).numbers]
    assert headcount(11).find_state(explained, NOW, PATIENCE) == "explained"
    assert headcount(10).find_state(explained, NOW, PATIENCE) == "open"
    assert headcount(12).find_state(explained, NOW, PATIENCE) == "closed"


def test_the_dead_are_no_part_of_what_is_explained() -> None:
    explained = [headcount(11).numbers]
    assert headcount(11, n_morts="1").find_state(explained, NOW, PATIENCE) == "explained"


def test_numbers_that_cannot_be_read_are_told_apart_from_none() -> None:
    unread, none = headcount(n_refus="?x"), headcount(n_refus="0")
    assert (unread.numbers, none.numbers) == ("12 0 0 ?", "12 0 0 0")
    assert replace(none, refused=None).gap is None
