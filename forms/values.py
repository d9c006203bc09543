"""Answer texts → typed values, in the spellings that JavaRosa writes (ODK XForms spec, "Data types")."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TypeVar

from forms.definition import Field

_Parsed = TypeVar("_Parsed")

# Java's parser takes digits of any script for an int and only ours for a double; no tablet writes others.
_INT = re.compile(r"[+-]?\d{1,10}", re.ASCII)
# Java writes doubles as 1.0E7 from ten million up.
_DECIMAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}\S*", re.ASCII)
_TIME = re.compile(r"\d{2}:\d{2}\S*", re.ASCII)
_BOOLEANS = {"1": True, "true": True, "0": False, "false": False}
_INT_RANGE = range(-(2**31), 2**31)


class BadValueError(ValueError):
    """A text that is not of its type. Only the code leaves: the text is somebody's answer."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class GeoPoint:
    """One fix of a device: degrees, then metres where the device gave them."""

    latitude: Decimal
    longitude: Decimal
    altitude: Decimal | None = None
    accuracy: Decimal | None = None


Value = str | int | bool | Decimal | date | time | datetime | GeoPoint | list[str] | list[GeoPoint] | None


def parse_value(text: str, field: Field) -> Value:
    """The typed value of an answer, None for a blank one; BadValueError for a text of another type.

    Choices stay text, whatever their bind's type: a select bound to an integer is judged by its list.
    """
    text = text.strip()
    if field.control in {"select", "rank"} or (field.control is None and field.type in {"select", "rank"}):
        return text.split()
    if not text or field.control == "select1":
        return text or None
    return _PARSERS.get(field.type, str)(text)


def parse_int(text: str) -> int:
    """A 32-bit integer, all that the bind type `int` can hold on a tablet."""
    if not _INT.fullmatch(text) or int(text) not in _INT_RANGE:
        raise BadValueError("not_an_integer")
    return int(text)


def parse_decimal(text: str) -> Decimal:
    """A finite number."""
    if not _DECIMAL.fullmatch(text):
        raise BadValueError("not_a_number")
    return Decimal(text)


def parse_date(text: str) -> date:
    """A calendar date; of a date with a time, the date."""
    if not (_DATE.fullmatch(text) or _DATE_TIME.fullmatch(text)):
        raise BadValueError("not_a_date")
    return _or_bad(date.fromisoformat, text[:10], "not_a_date")


def parse_datetime(text: str) -> datetime:
    """An aware datetime that keeps the tablet's offset; without one it counts as UTC, Senegal's own time."""
    if _DATE.fullmatch(text):
        text = f"{text}T00:00:00"
    if not _DATE_TIME.fullmatch(text):
        raise BadValueError("not_a_datetime")
    parsed = _or_bad(datetime.fromisoformat, text, "not_a_datetime")
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def parse_time(text: str) -> time:
    """An aware time of day."""
    if not _TIME.fullmatch(text):
        raise BadValueError("not_a_time")
    parsed = _or_bad(time.fromisoformat, text, "not_a_time")
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def parse_boolean(text: str) -> bool:
    """JavaRosa writes 1 and 0, other clients the words."""
    if text not in _BOOLEANS:
        raise BadValueError("not_a_boolean")
    return _BOOLEANS[text]


def parse_geopoint(text: str) -> GeoPoint:
    """`latitude longitude [altitude [accuracy]]`."""
    try:
        parts = [parse_decimal(part) for part in text.split()]
    except BadValueError:
        raise BadValueError("not_a_place") from None
    if not 2 <= len(parts) <= 4 or abs(parts[0]) > 90 or abs(parts[1]) > 180:
        raise BadValueError("not_a_place")
    return GeoPoint(*parts)


def parse_line(text: str) -> list[GeoPoint]:
    """The points of a geotrace or geoshape, separated by semicolons."""
    return [parse_geopoint(point) for point in text.strip().removesuffix(";").split(";")]


def _or_bad(parse: Callable[[str], _Parsed], text: str, code: str) -> _Parsed:
    try:
        return parse(text)
    except ValueError:
        raise BadValueError(code) from None


_PARSERS: dict[str, Callable[[str], Value]] = {
    "int": parse_int,
    "decimal": parse_decimal,
    "date": parse_date,
    "dateTime": parse_datetime,
    "time": parse_time,
    "boolean": parse_boolean,
    "geopoint": parse_geopoint,
    "geotrace": parse_line,
    "geoshape": parse_line,
}
