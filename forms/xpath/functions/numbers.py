"""Numbers: conversion, rounding, powers, logarithms and angles, with Java's results where Python would raise."""

import math
from collections.abc import Callable
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Context, Decimal

from forms.node import Node
from forms.xpath.environment import Environment
from forms.xpath.moments import DAY, Moment
from forms.xpath.part import Part, Scope, builder, function, scalar
from forms.xpath.paths import unpack_raw
from forms.xpath.syntax import Syntax
from forms.xpath.values import LONG_MAX, LONG_MIN, NAN, Value, saturated, to_java_int, to_number, truncated

# Enough digits for any double with thirty decimals.
EXACT = Context(prec=400)


@function("number", least=1, kind="number")
def number(value: Value) -> Value:
    """By the rules of to_number."""
    return to_number(value)


@function("int", least=1, kind="number")
def integer(value: Value) -> Value:
    """Without its fraction."""
    return truncated(to_number(value))


@function("round", least=1, most=2, kind="number")
def rounded(value: Value, places: Value = 0.0) -> Value:
    """Excel's rounding: half away from zero above it, half towards zero below it; negative places round tens."""
    return round_number(to_number(value), to_java_int(places))


def round_number(value: float, places: int) -> float:
    """A number to so many decimals; beyond thirty there is none."""
    if value != value or math.isinf(value):
        return value
    if abs(places) > 30:
        return NAN
    exact = Decimal(repr(value))
    if places >= 0:
        direction = ROUND_HALF_DOWN if value < 0 else ROUND_HALF_UP
        return float(exact.quantize(Decimal(1).scaleb(-places), direction, EXACT)) + 0.0
    # JavaRosa truncates after adding a half, so that a negative number is rounded up.
    tens = saturated(float(exact.scaleb(places)) + 0.5, LONG_MIN, LONG_MAX)
    return float(Decimal(tens).scaleb(-places))


@function("pi", least=0, kind="number")
def pi() -> Value:
    """The constant."""
    return math.pi


def to_double(found: Value | list[Node], environment: Environment) -> float:
    """As to_number, but a computed date keeps its fraction of a day; one that stands in an answer does not."""
    if isinstance(found, Moment):
        return found.ms / DAY
    return to_number(unpack_raw(found, environment))


def of_doubles(name: str, count: int, apply: Callable[..., float]) -> None:
    """Register a mathematical function of so many arguments."""

    def build(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
        raws = [part.raw for part in parts]

        def evaluate(node: Node, environment: Environment) -> Value:
            return java(apply, [to_double(raw(node, environment), environment) for raw in raws])

        return scalar(syntax, evaluate, "number")

    builder(name, counts=lambda given: given == count)(build)


def java(apply: Callable[..., float], arguments: list[float]) -> float:
    """Where Python raises, Java has NaN or infinity."""
    try:
        return apply(*arguments)
    except ValueError:
        return NAN
    except OverflowError:
        return math.inf


def java_power(base: float, exponent: float) -> float:
    """Math.pow: unlike C, 1 to the power of NaN or infinity is NaN, and too much is infinity."""
    if exponent != exponent or (abs(base) == 1 and math.isinf(exponent)):
        return NAN
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 == 1 else math.inf
    except ValueError:
        # A negative base with a fraction, or zero with a negative exponent.
        if base:
            return NAN
        return math.copysign(math.inf, base) if exponent % 2 == 1 else math.inf


def logarithm(apply: Callable[[float], float]) -> Callable[[float], float]:
    """A logarithm whose value at 0 is minus infinity, as in Java."""
    return lambda value: -math.inf if value == 0 else apply(value)


UNARY: dict[str, Callable[[float], float]] = {
    "abs": abs,
    "acos": math.acos,
    "asin": math.asin,
    "atan": math.atan,
    "cos": math.cos,
    "exp": math.exp,
    "exp10": lambda exponent: java_power(10.0, exponent),
    "log": logarithm(math.log),
    "log10": logarithm(math.log10),
    "sin": math.sin,
    "sqrt": math.sqrt,
    "tan": math.tan,
}


for _name, _apply in UNARY.items():
    of_doubles(_name, 1, _apply)
of_doubles("pow", 2, java_power)
of_doubles("atan2", 2, math.atan2)
