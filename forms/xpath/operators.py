"""The operators, with JavaRosa's comparisons: no node-set comparison, numbers equal within 10^-12, NaN never."""

import math
import operator
from collections.abc import Callable

from forms.node import Node
from forms.xpath.environment import Environment, Evaluate, Test, value_of
from forms.xpath.part import Part, number_of, scalar
from forms.xpath.syntax import Chain, Syntax, Text
from forms.xpath.values import TINY, Value, text_to_number, to_boolean, to_number, to_text

Binary = Callable[[float, float], float]


def divide(dividend: float, divisor: float) -> float:
    """As Java divides doubles: by zero comes infinity, zero by zero comes NaN."""
    if divisor:
        return dividend / divisor
    if not dividend or dividend != dividend:
        return math.nan
    return math.copysign(math.inf, dividend) * math.copysign(1.0, divisor)


def remainder(dividend: float, divisor: float) -> float:
    """As Java's % on doubles: the sign of the dividend; NaN where there is no remainder."""
    if not divisor or math.isinf(dividend) or dividend != dividend or divisor != divisor:
        return math.nan
    return math.fmod(dividend, divisor)


ARITHMETIC: dict[str, Binary] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "div": divide,
    "mod": remainder,
}
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def equal(left: Value, right: Value) -> bool:
    """As booleans if one side is one, else as numbers if one side is one, else as text (XPathEqExpr)."""
    if type(left) is str and type(right) is str:
        return left == right
    if isinstance(left, bool) or isinstance(right, bool):
        return to_boolean(left) == to_boolean(right)
    if isinstance(left, float) or isinstance(right, float):
        return abs(to_number(left) - to_number(right)) < TINY
    return to_text(left) == to_text(right)


def compile_negative(syntax: Syntax, operand: Part) -> Part:
    """A part for the minus sign before an operand."""
    number = operand.number()
    return scalar(syntax, lambda node, environment: -number(node, environment), "number")


def compile_chain(syntax: Chain, parts: list[Part]) -> Part:
    """A part for operators of one precedence in a row."""
    name = syntax.operators[0]
    if name in ("and", "or"):
        return scalar(syntax, _all_of(parts) if name == "and" else _any_of(parts), "boolean")
    if name in ARITHMETIC:
        return scalar(syntax, _arithmetic(parts, syntax.operators), "number")
    part = parts[0]
    for following, one in zip(parts[1:], syntax.operators, strict=True):
        test = _equality(part, following, one == "=") if one in ("=", "!=") else _comparison(part, following, one)
        part = scalar(syntax, test, "boolean")
    return part


def _all_of(parts: list[Part]) -> Evaluate:
    tests = [part.test() for part in parts]
    if len(tests) == 2:
        first, second = tests
        return lambda node, environment: first(node, environment) and second(node, environment)

    def all_of(node: Node, environment: Environment) -> Value:
        return all(test(node, environment) for test in tests)

    return all_of


def _any_of(parts: list[Part]) -> Evaluate:
    tests = [part.test() for part in parts]
    if len(tests) == 2:
        first, second = tests
        return lambda node, environment: first(node, environment) or second(node, environment)

    def any_of(node: Node, environment: Environment) -> Value:
        return any(test(node, environment) for test in tests)

    return any_of


def _equality(left: Part, right: Part, wanted: bool) -> Test:
    if isinstance(right.syntax, Text):
        if left.slot is not None:
            return _slot_equals_text(left.slot, right.syntax.value, wanted)
        return _equals_text(left.value, right.syntax.value, wanted)
    first, second = left.value, right.value
    if wanted:
        return lambda node, environment: equal(first(node, environment), second(node, environment))
    return lambda node, environment: not equal(first(node, environment), second(node, environment))


def _equals_text(value: Evaluate, text: str, wanted: bool) -> Test:
    """The commonest comparison of all: an answer with a literal."""

    number = text_to_number(text)

    def test(node: Node, environment: Environment) -> bool:
        found = value(node, environment)
        kind = type(found)
        if kind is str:
            return (found == text) is wanted
        if kind is float:
            return (abs(found - number) < TINY) is wanted  # type: ignore[operator]
        # No date is the empty text: that need not be printed.
        return (equal(found, text) if text or kind is bool else False) is wanted

    return test


def _slot_equals_text(slot: int, text: str, wanted: bool) -> Test:
    """The same where the answer stands in a known place: relevance rules consist of little else."""

    def read(_node: Node, environment: Environment) -> Value:
        node = environment.slots[slot]
        return "" if node is None else value_of(node, environment)

    otherwise = _equals_text(read, text, wanted)

    def test(node: Node, environment: Environment) -> bool:
        place = environment.slots[slot]
        found = None if place is None else place.cached
        return (found == text) is wanted if type(found) is str else otherwise(node, environment)

    return test


def _comparison(left: Part, right: Part, name: str) -> Test:
    compare, first = COMPARISONS[name], left.number()
    if right.fixed is not None:
        limit = to_number(right.fixed)
        if first is number_of:
            return _compares_context(compare, limit)
        return lambda node, environment: compare(first(node, environment), limit)
    second = right.number()
    return lambda node, environment: compare(first(node, environment), second(node, environment))


def _compares_context(compare: Callable[[float, float], bool], limit: float) -> Test:
    """An answer against a limit: the commonest constraint."""

    def test(node: Node, environment: Environment) -> bool:
        value = node.cached
        return compare(value if type(value) is float else number_of(node, environment), limit)

    return test


def _arithmetic(parts: list[Part], names: tuple[str, ...]) -> Evaluate:
    first, *others = [part.number() for part in parts]
    steps = [(ARITHMETIC[name], number) for name, number in zip(names, others, strict=True)]
    if len(steps) == 1:
        apply, second = steps[0]
        return lambda node, environment: apply(first(node, environment), second(node, environment))

    def evaluate(node: Node, environment: Environment) -> Value:
        result = first(node, environment)
        for apply, number in steps:
            result = apply(result, number(node, environment))
        return result

    return evaluate
