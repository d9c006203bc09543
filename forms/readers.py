"""An answer's text → its value, by the type of its bind: what JavaRosa makes of a saved form (XFormAnswerDataParser).

None means that the text is not of the type; JavaRosa blanks such an answer silently.
"""

import re
from collections.abc import Callable

from forms.node import LONGEST_TEXT, Read
from forms.xpath.environment import Environment
from forms.xpath.errors import CannotVerify
from forms.xpath.functions.geo import geopoint_text, parse_geopoint, parse_geopoints, parse_java_double
from forms.xpath.moments import INTEGER_MAX, INTEGER_MIN, Moment, parse_date, parse_date_time, parse_time
from forms.xpath.values import Value

WRITTEN_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d(:?\d\d)?)", re.ASCII)
INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
EPOCH = Moment(0)
BOOLEANS = {"1": True, "t": True, "true": False, "0": False, "f": False, "false": False}

Parse = Callable[[str, Environment], Value | None]


def parse_integer(text: str, _environment: Environment) -> Value | None:
    """A whole number of 32 bits, as Collect keeps it."""
    if INTEGER.fullmatch(text) is None or len(text) > 20:
        return None
    number = int(text)
    return float(number) if INTEGER_MIN <= number <= INTEGER_MAX else None


def parse_decimal(text: str, _environment: Environment) -> Value | None:
    """Whatever Java reads as a double."""
    return parse_java_double(text)


def parse_day(text: str, _environment: Environment) -> Value | None:
    """A date without a time."""
    return parse_date(text)


def parse_day_and_time(text: str, environment: Environment) -> Value | None:
    """A date with or without a time; a time without a zone is the tablet's."""
    return parse_date_time(text, environment.offset_ms)


def parse_clock_time(text: str, environment: Environment) -> Value | None:
    """JavaRosa puts a time on the day on which the form is open."""
    return parse_time(text, environment.now or EPOCH, environment.offset_ms)


def parse_switch(text: str, _environment: Environment) -> Value | None:
    """Only "1" and "t" are true; JavaRosa reads every other text as false, we accept the usual ones."""
    return BOOLEANS.get(text)


def parse_point(text: str, _environment: Environment) -> Value | None:
    """A geopoint as expressions see it: four Java doubles, or "" for one that was never taken."""
    point = parse_geopoint(text)
    return None if point is None else geopoint_text(point)


def parse_points(text: str, _environment: Environment) -> Value | None:
    """A trace or shape as expressions see it."""
    points = parse_geopoints(text)
    return None if points is None else "; ".join(map(geopoint_text, points))


def parse_choices(text: str, _environment: Environment) -> Value | None:
    """Several choices, with one space between them."""
    return " ".join(choice for choice in text.split(" ") if choice)


def parse_computed(text: str, environment: Environment) -> Value | None:
    """What an expression gave that may give anything: of all kinds, a moment alone is written so."""
    return parse_date_time(text, environment.offset_ms) if WRITTEN_MOMENT.fullmatch(text) else text


PARSERS: dict[str, Parse] = {
    "int": parse_integer,
    "decimal": parse_decimal,
    "date": parse_day,
    "dateTime": parse_day_and_time,
    "time": parse_clock_time,
    "boolean": parse_switch,
    "geopoint": parse_point,
    "geotrace": parse_points,
    "geoshape": parse_points,
}


def _longest(bind_type: str) -> int:
    """How long an answer may be: a way of some thousand points is still one."""
    return 10 * LONGEST_TEXT if bind_type in ("geotrace", "geoshape") else LONGEST_TEXT


def reader_of(parse: Parse, computed: bool = False, longest: int = LONGEST_TEXT) -> Read:
    """The reading of a type as nodes need it: blank or wrong text is "". What was computed stays what it is."""

    def read(text: str, environment: Environment) -> Value:
        if not text:
            return ""
        if len(text) > longest:
            raise CannotVerify("answer_too_long", limit=longest)
        value = parse(text, environment)
        if value is None:
            return text if computed else ""
        return value

    return read


READERS: dict[str, Read] = {name: reader_of(parse, longest=_longest(name)) for name, parse in PARSERS.items()}
# JavaRosa does not force a calculation into its bind's type: a day plus a number stays a number in a date.
COMPUTED_READERS: dict[str, Read] = {name: reader_of(parse, True, _longest(name)) for name, parse in PARSERS.items()}
# On the tablet a calculated node holds what its expression gave, though its bind says string; in the XML a boolean is
# 1 or 0. Read as text, "0" would be true.
CALCULATED: dict[str, Read] = {
    "boolean": reader_of(parse_switch),
    "number": reader_of(parse_decimal),
    "moment": reader_of(parse_day_and_time),
    "any": reader_of(parse_computed, computed=True),
}
READ_CHOICES = reader_of(parse_choices)
