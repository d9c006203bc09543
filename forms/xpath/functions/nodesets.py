"""Functions of several answers: count, sum, max, min, position, indexed-repeat."""

import math
from collections.abc import Callable

from forms.node import PLAIN, ROW, Node
from forms.xpath.environment import Environment, is_relevant, value_of
from forms.xpath.errors import CannotVerify
from forms.xpath.functions.logic import list_values
from forms.xpath.part import Part, Scope, builder, refuse_kind, scalar
from forms.xpath.paths import CompiledStep, contextualize, expand, unpack
from forms.xpath.syntax import Call, Path, Syntax
from forms.xpath.values import NAN, Value, to_java_int, to_number

# What JavaRosa starts max() and min() from; the first is positive, so max(-5, -3) prints 0.
MAX_START = 5e-324
MIN_START = 1.7976931348623157e308


def nodes_of(part: Part, name: str) -> Callable[[Node, Environment], list[Node]]:
    """How to get an argument's nodes. What can never give nodes is refused when the form is published."""
    if not isinstance(part.syntax, Path | Call):
        raise refuse_kind(name)
    raw = part.raw

    def nodes(node: Node, environment: Environment) -> list[Node]:
        found = raw(node, environment)
        if not isinstance(found, list):
            raise CannotVerify("cannot_use_function", name=name)
        return found

    return nodes


@builder("count", counts=lambda count: count == 1)
def count(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
    """The number of relevant nodes."""
    nodes = nodes_of(parts[0], "count")
    return scalar(syntax, lambda node, environment: float(len(nodes(node, environment))), "number")


@builder("count-non-empty", counts=lambda count: count == 1)
def count_non_empty(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
    """The number of nodes that hold an answer or have children."""
    nodes = nodes_of(parts[0], "count-non-empty")

    def evaluate(node: Node, environment: Environment) -> Value:
        found = nodes(node, environment)
        if found and found[0].shape in (PLAIN, ROW):
            # JavaRosa looks for the nodes in the record, wherever they are, and fails on those of a list.
            raise CannotVerify("cannot_use_function", name="count-non-empty")
        return float(sum(bool(one.named) or value_of(one, environment) != "" for one in found))

    return scalar(syntax, evaluate, "number")


@builder("sum", counts=lambda count: count == 1)
def total(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
    """The sum of the answers that are numbers."""
    nodes = nodes_of(parts[0], "sum")

    def evaluate(node: Node, environment: Environment) -> Value:
        found = [to_number(value_of(one, environment)) for one in nodes(node, environment)]
        result = 0.0
        for number in found:
            result += 0.0 if number != number else number
        return result

    return scalar(syntax, evaluate, "number")


@builder("max", counts=lambda _count: True)
def greatest(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
    """The largest number, as JavaRosa finds it: never below its smallest positive double."""
    return _extreme(syntax, parts, max, MAX_START)


@builder("min", counts=lambda _count: True)
def least(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
    """The smallest number."""
    return _extreme(syntax, parts, min, MIN_START)


def _extreme(syntax: Syntax, parts: list[Part], choose: Callable[[list[float]], float], start: float) -> Part:
    def evaluate(node: Node, environment: Environment) -> Value:
        numbers = [to_number(value) for value in list_values(parts, node, environment)]
        known = [number for number in numbers if not math.isnan(number)]
        return choose([start, *known]) if known else NAN

    return scalar(syntax, evaluate, "number")


@builder("position", counts=lambda count: count <= 1)
def position(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
    """Counted from 1 among siblings of the same name; 0 where there is no such node."""
    if not parts:
        return scalar(syntax, _position_of_context, "number")
    nodes = nodes_of(parts[0], "position")

    def evaluate(node: Node, environment: Environment) -> Value:
        found = nodes(node, environment)
        return float(found[0].index + 1) if found else 0.0

    return scalar(syntax, evaluate, "number")


def _position_of_context(node: Node, environment: Environment) -> Value:
    return float((environment.position if environment.position >= 0 else node.index) + 1)


@builder("indexed-repeat", counts=lambda count: count in (3, 5, 7, 9, 11))
def indexed_repeat(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
    """The answer at a path, with the instance of each named repeat chosen by its index; below 1 counts as 1."""
    target = _plain_steps(parts[0])
    groups = [_plain_steps(part) for part in parts[1::2]]
    indexes = [part.value for part in parts[2::2]]

    def evaluate(node: Node, environment: Environment) -> Value:
        steps, pins = _absolute(target, node)
        names = [step.name for step in steps]
        for group, index in zip(groups, indexes, strict=True):
            level = _group_level(group, node, names)
            pins[level] = max(to_java_int(index(node, environment)), 1) - 1
        found = expand(environment.document.children(), steps[1:], names[1:], pins[1:], environment)
        return unpack([one for one in found if is_relevant(one, environment)], environment)

    return scalar(syntax, evaluate)


def _group_level(group: tuple[int, list[str]], node: Node, names: list[str]) -> int:
    steps, _pins = _absolute(group, node)
    if [step.name for step in steps] != names[: len(steps)] or len(steps) == len(names):
        raise CannotVerify("cannot_use_function", name="indexed-repeat")
    return len(steps) - 1


def _plain_steps(part: Part) -> tuple[int, list[str]]:
    """How many levels a path climbs (-1 if absolute) and the names that it then follows; predicates do not count."""
    path = part.syntax
    if not isinstance(path, Path) or path.start == "instance":
        raise refuse_kind("indexed-repeat")
    climbs = sum(step.axis == "parent" for step in path.steps)
    return (-1 if path.start == "root" else climbs), [step.name for step in path.steps[climbs:]]


def _absolute(plain: tuple[int, list[str]], node: Node) -> tuple[list[CompiledStep], list[int | None]]:
    """The names from the root and the indexes that the context gives, as TreeReference.contextualize does."""
    climbs, names = plain
    if climbs < 0:
        steps = [CompiledStep(name, False, (), None) for name in names]
        return steps, contextualize(node, steps)[1]
    chain = node.chain()
    if climbs > len(chain):
        raise CannotVerify("cannot_leave_form")
    above = chain[: len(chain) - climbs]
    steps = [CompiledStep(name, False, (), None) for name in [*(one.name for one in above), *names]]
    return steps, [*(one.index for one in above), *([None] * len(names))]
