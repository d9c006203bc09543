"""Dates and times as JavaRosa keeps them: a count of milliseconds, read in the tablet's zone.

A Moment counts from 1970-01-01T00:00 on the tablet's own clock; what needs UTC is handed the zone's offset. Years
before 1 and after 9999 are legal to Java, so Python's datetime does not serve. Formatting is functions/dates.py's.
"""

import re
from datetime import date
from typing import NamedTuple

DAY = 86_400_000
MINUTE = 60_000
INTEGER_MAX = 2**31 - 1
INTEGER_MIN = -(2**31)

DATE = re.compile(r"\+?(\d+)-\+?(\d+)-\+?(\d+)", re.ASCII)
TIME = re.compile(r"([+-]?\d+):([+-]?\d+)(?::(.*))?", re.ASCII | re.DOTALL)
SECONDS = re.compile(r"\d+(?:\.\d*)?|\.\d+", re.ASCII)
DIGITS_AND_POINTS = re.compile(r"[\d.]*", re.ASCII)
# The days that Python's own calendar knows, years 1 to 9999: it counts much faster than we do.
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
FIRST_DAY, LAST_DAY = 1 - EPOCH_ORDINAL, date.max.toordinal() - EPOCH_ORDINAL
MONTH_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Moment:
    """A point in time in the tablet's zone. `ms` counts from 1970-01-01T00:00 local time."""

    __slots__ = ("ms",)

    def __init__(self, ms: int) -> None:
        self.ms = ms

    @property
    def days(self) -> int:
        return self.ms // DAY

    def midnight(self) -> "Moment":
        return Moment(self.ms - self.ms % DAY)

    def __repr__(self) -> str:
        return f"Moment({iso_date(self)}+{self.ms % DAY}ms)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Moment) and other.ms == self.ms

    def __hash__(self) -> int:
        return hash(self.ms)


class Parts(NamedTuple):
    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    millisecond: int
    weekday: int  # 0 is Monday


def days_of(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to a date of the proleptic Gregorian calendar."""
    shifted = year - (month <= 2)
    era, year_of_era = divmod(shifted, 400)
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


def date_of(days: int) -> tuple[int, int, int]:
    """Year, month and day of a count of days since 1970-01-01."""
    if FIRST_DAY <= days <= LAST_DAY:
        found = date.fromordinal(days + EPOCH_ORDINAL)
        return found.year, found.month, found.day
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month_from_march = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month_from_march + 2) // 5 + 1
    month = month_from_march + (3 if month_from_march < 10 else -9)
    return year_of_era + era * 400 + (month <= 2), month, day


def parts_of(moment: Moment) -> Parts:
    """The calendar and clock reading of a moment."""
    days, rest = divmod(moment.ms, DAY)
    minutes, milliseconds = divmod(rest, MINUTE)
    hour, minute = divmod(minutes, 60)
    return Parts(*date_of(days), hour, minute, milliseconds // 1000, milliseconds % 1000, (days + 3) % 7)


def iso_date(moment: Moment) -> str:
    """The text that JavaRosa makes of any date: the year unpadded, the time dropped."""
    year, month, day = date_of(moment.days)
    return f"{year}-{month:02d}-{day:02d}"


def _parse_plain_date(text: str) -> Moment | None:
    if len(text) != 10 or text[4] != "-" or text[7] != "-":
        return None
    try:
        return Moment((date.fromisoformat(text).toordinal() - EPOCH_ORDINAL) * DAY)
    except ValueError:
        return None


def parse_date(text: str) -> Moment | None:
    """The midnight that a text like 2026-11-03 names, or None."""
    plain = _parse_plain_date(text)
    if plain is not None:
        return plain
    # It may still be one of the dates that Java alone reads: +999-01-01, year 0.
    found = DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day = map(int, found.groups())
    if year > INTEGER_MAX or not 1 <= month <= 12 or not 1 <= day <= month_length(year, month):
        return None
    return Moment(days_of(year, month, day) * DAY)


def month_length(year: int, month: int) -> int:
    """The number of days of a month."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if leap and month == 2 else MONTH_LENGTHS[month - 1]


def parse_date_time(text: str, offset_ms: int) -> Moment | None:
    """The moment of an ISO date with or without a time; a time without a zone is local."""
    date_text, separator, time_text = text.partition("T")
    day = parse_date(date_text)
    if day is None or not separator:
        return day
    since_midnight = parse_clock(time_text, offset_ms)
    return None if since_midnight is None else Moment(day.ms + since_midnight)


def parse_time(text: str, day: Moment, offset_ms: int) -> Moment | None:
    """The moment of a time on a given day; JavaRosa takes the day on which the form is open."""
    since_midnight = parse_clock(text, offset_ms)
    return None if since_midnight is None else Moment(day.midnight().ms + since_midnight)


def parse_clock(text: str, offset_ms: int) -> int | None:
    """Milliseconds from local midnight to the time that the text names; they may fall on the day before or after."""
    text, zone_ms = _split_zone(text)
    since_midnight = _parse_raw_clock(text)
    if since_midnight is None or zone_ms is None:
        return None
    return since_midnight if zone_ms == LOCAL else since_midnight - zone_ms + offset_ms


LOCAL = 10**9


def _split_zone(text: str) -> tuple[str, int | None]:
    if text.endswith("Z"):
        return text[:-1], 0
    for sign, factor in (("+", 1), ("-", -1)):
        if sign in text:
            clock, zone = text.split(sign)[:2]
            return clock, _zone_ms(zone, factor)
    return text, LOCAL


def _zone_ms(zone: str, factor: int) -> int | None:
    hours, _, minutes = zone.partition(":")
    if not (hours.isdecimal() and (minutes.isdecimal() or ":" not in zone) and len(zone) < 8):
        return None
    return factor * (int(hours) * 60 + int(minutes or 0)) * MINUTE


def _parse_raw_clock(text: str) -> int | None:
    found = TIME.fullmatch(text)
    if found is None:
        return None
    hour, minute = int(found[1]), int(found[2])
    milliseconds = _parse_seconds(found[3])
    if milliseconds is None or not 0 <= hour <= 23 or not 0 <= minute <= 59:
        return None
    return (hour * 60 + minute) * MINUTE + milliseconds


def _parse_seconds(text: str | None) -> int | None:
    """Seconds may carry anything after their digits: JavaRosa cuts there."""
    if text is None:
        return 0
    if ":" in text:
        return None
    seconds = SECONDS.fullmatch(DIGITS_AND_POINTS.match(text)[0])  # type: ignore[index]
    if seconds is None:
        return None
    value = float(seconds[0])
    return int(value) * 1000 + int(1000.0 * value - 1000.0 * int(value)) if value < 60 else None
