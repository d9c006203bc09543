"""Dates: today and now as the record saw them, conversions, and formats in French or English."""

import math
import re
from collections.abc import Callable
from functools import lru_cache

from forms.node import Node
from forms.xpath.environment import Environment
from forms.xpath.errors import CannotVerify
from forms.xpath.moments import (
    DAY,
    INTEGER_MAX,
    INTEGER_MIN,
    Moment,
    Parts,
    days_of,
    parse_date,
    parse_date_time,
    parts_of,
)
from forms.xpath.part import Part, Scope, builder, constant, scalar
from forms.xpath.syntax import Syntax, Text
from forms.xpath.values import Value, truncated

MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "fr": ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."),
}
WEEKDAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "fr": ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."),
}
THURSDAY = 3


@builder("today", counts=lambda count: count == 0)
def today(syntax: Syntax, _parts: list[Part], _scope: Scope) -> Part:
    """The day on which the record was filled, on the tablet's calendar."""
    return scalar(syntax, lambda _node, environment: environment.now_or_raise().midnight(), "moment")


@builder("now", counts=lambda count: count == 0)
def now(syntax: Syntax, _parts: list[Part], _scope: Scope) -> Part:
    """The moment at which the record was filled."""
    return scalar(syntax, lambda _node, environment: environment.now_or_raise(), "moment")


def _converter(convert: Callable[[Value, Environment], Value]) -> Callable[[Syntax, list[Part], Scope], Part]:
    def build(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
        value = parts[0].value
        fixed = _written_date(parts[0].syntax)
        if fixed is not None:
            return constant(syntax, fixed, "moment")
        return scalar(syntax, lambda node, environment: convert(value(node, environment), environment), "moment")

    return build


def _written_date(syntax: Syntax) -> Moment | None:
    """A date that stands in the expression itself, without a time: no zone matters, it is read once."""
    return parse_date(syntax.value) if isinstance(syntax, Text) else None


def to_date(value: Value, environment: Environment, keep_time: bool) -> Value:
    """A Moment from a date, a text or a count of days; "" and NaN stay what they are (XPathFuncExpr.toDate)."""
    if isinstance(value, Moment):
        return value if keep_time else value.midnight()
    if isinstance(value, float):
        return _from_days(value, environment, keep_time)
    if value == "":
        return value
    moment = parse_date_time(value, environment.offset_ms) if isinstance(value, str) else None
    if moment is None:
        raise CannotVerify("cannot_convert", type="date")
    return moment


def _from_days(days: float, environment: Environment, keep_time: bool) -> Value:
    if days != days:
        return days
    # date() drops the fraction before it looks at the range, date-time() keeps it.
    counted = days if keep_time else truncated(days)
    if not INTEGER_MIN <= counted <= INTEGER_MAX:
        raise CannotVerify("cannot_convert", type="date")
    return Moment(int(counted * DAY) + (environment.offset_ms if keep_time else 0))


builder("date", counts=lambda count: count == 1)(
    _converter(lambda value, environment: to_date(value, environment, keep_time=False))
)
builder("date-time", counts=lambda count: count == 1)(
    _converter(lambda value, environment: to_date(value, environment, keep_time=True))
)


@builder("decimal-date-time", counts=lambda count: count == 1)
def decimal_date_time(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
    """Days since 1970 in UTC, with their fraction."""
    return _decimal(syntax, parts[0], lambda ms, offset_ms: (ms - offset_ms) / DAY, lambda days: days)


@builder("decimal-time", counts=lambda count: count == 1)
def decimal_time(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
    """The fraction of the local day."""
    return _decimal(syntax, parts[0], lambda ms, _offset: _fraction(ms / DAY), _fraction)


def _decimal(
    syntax: Syntax, part: Part, of_moment: Callable[[int, int], float], of_days: Callable[[float], float]
) -> Part:
    value = part.value

    def evaluate(node: Node, environment: Environment) -> Value:
        found = value(node, environment)
        if isinstance(found, float) and INTEGER_MIN <= found <= INTEGER_MAX:
            return of_days(found)
        moment = to_date(found, environment, keep_time=True)
        return of_moment(moment.ms, environment.offset_ms) if isinstance(moment, Moment) else moment

    return scalar(syntax, evaluate)


def _fraction(days: float) -> float:
    return days - math.floor(days)


@builder("format-date", "format-date-time", counts=lambda count: count == 2)
def format_date(syntax: Syntax, parts: list[Part], scope: Scope) -> Part:
    """A date by JavaRosa's % letters; "" for a blank one."""
    value, pattern = parts[0].value, parts[1].text()
    if not isinstance(parts[1].fixed, str) or WORDED.search(parts[1].fixed):
        scope.uses.add("names of months and days")

    def evaluate(node: Node, environment: Environment) -> Value:
        moment = to_date(value(node, environment), environment, keep_time=True)
        if not isinstance(moment, Moment):
            return ""
        return format_moment(moment, pattern(node, environment), environment.language)

    return scalar(syntax, evaluate, "text")


def format_moment(moment: Moment, pattern: str, language: str) -> str:
    """The text of a moment; a letter that JavaRosa does not know fails on the tablet."""
    parts = parts_of(moment)
    return "".join(
        [_format_letter(piece[1:], parts, language) if piece[0] == "%" else piece for piece in _pieces(pattern)]
    )


@lru_cache(maxsize=256)
def _pieces(pattern: str) -> list[str]:
    """A format as what it prints: letters after their %, and the text between."""
    return PIECES.findall(pattern)


# Names, and weeks, are those of the tablet's language.
WORDED = re.compile("%[abW]")
PIECES = re.compile(r"%.?|[^%]+", re.DOTALL)
LETTERS: dict[str, Callable[[Parts], str]] = {
    "Y": lambda parts: f"{parts.year:04d}",
    "y": lambda parts: f"{parts.year:04d}"[2:],
    "m": lambda parts: f"{parts.month:02d}",
    "n": lambda parts: str(parts.month),
    "d": lambda parts: f"{parts.day:02d}",
    "e": lambda parts: str(parts.day),
    "H": lambda parts: f"{parts.hour:02d}",
    "h": lambda parts: str(parts.hour),
    "M": lambda parts: f"{parts.minute:02d}",
    "S": lambda parts: f"{parts.second:02d}",
    "3": lambda parts: f"{parts.millisecond:03d}",
}


def _format_letter(letter: str, parts: Parts, language: str) -> str:
    if letter in LETTERS:
        return LETTERS[letter](parts)
    spoken = language if language in MONTHS else "en"
    match letter:
        case "%":
            return "%"
        case "b":
            return MONTHS[spoken][parts.month - 1]
        case "a":
            return WEEKDAYS[spoken][parts.weekday]
        case "W":
            return str(week_of_year(parts, spoken))
    raise CannotVerify("cannot_use_function", name="format-date")


def week_of_year(parts: Parts, language: str) -> int:
    """Java's week by locale: English starts on Sunday with the week of 1 January, French follows ISO 8601."""
    day = days_of(parts.year, parts.month, parts.day)
    if language == "fr":
        thursday = day - parts.weekday + THURSDAY
        first_of_its_year = days_of(_year_of(thursday), 1, 1)
        return (thursday - first_of_its_year) // 7 + 1
    saturday = day - (parts.weekday + 1) % 7 + 6
    if _year_of(saturday) > parts.year:
        return 1
    return (saturday - days_of(parts.year, 1, 1)) // 7 + 1


def _year_of(days: int) -> int:
    return parts_of(Moment(days * DAY)).year
