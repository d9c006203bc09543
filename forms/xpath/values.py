"""The four kinds of value and JavaRosa's conversions between them (XPathFuncExpr: toNumeric, toString, toBoolean).

A value is text, a number, a boolean or a Moment; a blank or missing answer is "". Node-sets are paths.py's.
"""

import math
import re
from decimal import Decimal

from forms.xpath.errors import CannotVerify
from forms.xpath.moments import DAY, INTEGER_MAX, INTEGER_MIN, Moment, iso_date

Value = str | float | bool | Moment

NAN = math.nan
# JavaRosa's own tolerance for “equal” and “zero”.
TINY = 1e-12
LONG_MAX = 2**63 - 1
LONG_MIN = -(2**63)
NUMBER = re.compile(r"[0-9.-]+")
JAVA_SPACE = "".join(map(chr, range(33)))


def to_number(value: Value) -> float:
    """JavaRosa's toNumeric: no exponents, a comma is a point, a date is whole days since 1970."""
    kind = type(value)
    if kind is float:
        return value  # type: ignore[return-value]
    if kind is str:
        return text_to_number(value)  # type: ignore[arg-type]
    if kind is bool:
        return 1.0 if value else 0.0
    return float(value.ms // DAY)  # type: ignore[union-attr]


def text_to_number(text: str) -> float:
    """The number that a text spells, or NaN."""
    text = text.replace(",", ".").strip(JAVA_SPACE)
    if NUMBER.fullmatch(text) is None:
        return NAN
    try:
        return float(text)
    except ValueError:
        return NAN


def to_boolean(value: Value) -> bool:
    """Text is true unless empty ("false" is true), a date is true, a number unless it is NaN or nearly zero."""
    kind = type(value)
    if kind is bool:
        return value  # type: ignore[return-value]
    if kind is str:
        return value != ""
    if kind is float:
        return abs(value) > TINY  # type: ignore[arg-type]
    return True


def to_text(value: Value) -> str:
    """JavaRosa's toString."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[return-value]
    if kind is float:
        return number_to_text(value)  # type: ignore[arg-type]
    if kind is bool:
        return "true" if value else "false"
    return iso_date(value)  # type: ignore[arg-type]


def number_to_text(number: float) -> str:
    """Whole numbers of 32 bits print without a point; all others as Java prints a double."""
    if abs(number) < TINY:
        return "0"
    if not math.isfinite(number):
        return java_double(number)
    whole = saturated(number, INTEGER_MIN, INTEGER_MAX)
    return str(whole) if abs(number - whole) < TINY else java_double(number)


def java_double(number: float) -> str:
    """Double.toString: 0.001 to 10^7 plainly, with at least one decimal; others as 1.0E7."""
    if not math.isfinite(number):
        return "NaN" if number != number else "Infinity" if number > 0 else "-Infinity"
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        text = format(Decimal(repr(number)), "f")
        return text if "." in text else text + ".0"
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    places = "".join(map(str, digits))
    return f"{'-' if sign else ''}{places[0]}.{places[1:] or '0'}E{int(exponent) + len(places) - 1}"


def saturated(number: float, lowest: int, highest: int) -> int:
    """Java's narrowing cast: towards zero, stopping at the ends of the type, NaN → 0."""
    if number != number:
        return 0
    if number >= highest:
        return highest
    return lowest if number <= lowest else int(number)


def to_java_int(value: Value) -> int:
    """The value as a Java int: truncated, kept within 32 bits, NaN → 0."""
    return saturated(to_number(value), INTEGER_MIN, INTEGER_MAX)


def truncated(number: float) -> float:
    """JavaRosa's int(): towards zero within 64 bits, kept as it is beyond."""
    if number != number or abs(number) >= LONG_MAX:
        return number
    return float(math.trunc(number)) if number >= 1 or number <= -1 else math.copysign(0.0, number)


def is_null(value: Value) -> bool:
    """What coalesce() passes over: "" and NaN."""
    return value == "" or value != value


def must_be_text(value: Value) -> str:
    """JavaRosa casts here without converting: another kind of value fails on the tablet."""
    if not isinstance(value, str):
        raise CannotVerify("cannot_convert", type="text")
    return value
