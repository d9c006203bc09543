from datetime import UTC, datetime

import pytest

from forms.clock import Clock, doubtful_moments, find_witnesses, read_clock
from forms.compiled import compile_form
from forms.shapes import build_record
from forms.xpath.moments import DAY, MINUTE, Moment, parse_date_time
from tests.forms.samples import definition, submission

BINDS = "".join(
    f'<bind nodeset="/data/{name}" jr:preload="{kind}" jr:preloadParams="{name}"/>'
    for name, kind in (("start", "timestamp"), ("end", "timestamp"), ("today", "date"))
)
FORM = compile_form(definition("<start/><end/><today/>", BINDS))
ARRIVED = datetime(2026, 3, 5, 10, 0, tzinfo=UTC)


def clock_of(answers: str, received_at: datetime | None = None) -> Clock:
    return read_clock(FORM.witnesses, build_record(FORM.shape, submission(answers).root).slots, received_at)


def moment(text: str) -> Moment:
    found = parse_date_time(text, 0)
    assert found is not None
    return found


def test_form_without_times_has_no_witness() -> None:
    form = definition("<a/>")
    assert find_witnesses(form, compile_form(form).shape.slots) == {}


@pytest.mark.parametrize(
    ("answers", "local", "minutes_from_utc"),
    [
        pytest.param("<start>2026-03-01T08:00Z</start><end>2026-03-01T09:30Z</end>", "2026-03-01T09:30", 0, id="end"),
        pytest.param("<start>2026-03-01T08:00:00.000+01:00</start>", "2026-03-01T08:00:00", 60, id="the start"),
        pytest.param("<end>2026-03-01T08:00:00.000+02</end>", "2026-03-01T08:00:00", 120, id="a zone of hours"),
        pytest.param("<today>2026-03-01</today>", "2026-03-01T12:00:00", 0, id="the day alone counts as its noon"),
        pytest.param("<end>tantôt</end>", "2026-03-05T10:00:00", 0, id="the arrival where nothing can be read"),
    ],
)  # fmt: skip
def test_record_tells_its_own_time(answers: str, local: str, minutes_from_utc: int) -> None:
    clock = clock_of(answers, ARRIVED)
    assert (clock.now, clock.offset_ms) == (moment(local), minutes_from_utc * MINUTE)


def test_without_an_end_the_arrival_is_possible_too() -> None:
    assert clock_of("<start>2026-03-01T08:00:00Z</start>", ARRIVED).also == (moment("2026-03-05T10:00:00"),)
    assert clock_of("<end>2026-03-01T08:00:00Z</end>", ARRIVED).also == ()


def test_rules_of_days_are_doubted_by_a_day_and_rules_of_time_by_minutes() -> None:
    clock = Clock(Moment(10 * DAY), 0, (Moment(12 * DAY),))
    assert doubtful_moments(clock, True) == (Moment(9 * DAY), Moment(11 * DAY), Moment(12 * DAY))
    assert doubtful_moments(clock, False)[0] == Moment(10 * DAY - 15 * MINUTE)
    assert doubtful_moments(Clock(None, 0), True) == ()
