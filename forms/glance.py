"""The first glance at a node: whether surely nothing is to be said about it, as of nearly every answer.

One closure a node, put together when the form is compiled. Where it does not say yes, judgement.py looks closely.
"""

import re
from collections.abc import Iterator

from forms.calculations import agrees
from forms.definition import Field
from forms.node import Node
from forms.xpath.compiler import Expression
from forms.xpath.environment import Environment, Test, value_of
from forms.xpath.errors import CannotVerify

# How nearly all answers of a type look; what the engine could read then needs no second look.
PLAIN_TEXTS = {
    "int": re.compile(r"-?\d{1,9}", re.ASCII).fullmatch,
    "decimal": re.compile(r"-?\d{1,9}(\.\d{1,9})?", re.ASCII).fullmatch,
    "date": re.compile(r"\d{4}-\d\d-\d\d", re.ASCII).fullmatch,
}


def is_blank(node: Node, environment: Environment) -> bool:
    """Whether nothing could be read from a node's text: JavaRosa blanks it."""
    value = node.cached
    if value is None:
        try:
            value = value_of(node, environment)
        except CannotVerify:
            return False
    return type(value) is str and not value


def is_plain(node: Node, bind_type: str, environment: Environment) -> bool:
    """Whether an answer is of its type, seen at once."""
    plain = PLAIN_TEXTS.get(bind_type)
    return plain is not None and plain(node.text) is not None and not is_blank(node, environment)


def glance_over(answered: list[Test], blank: Test | None, always: Test | None) -> Test:
    """What must hold of an answer, what must not hold of a blank, and what must hold of both."""

    def glance(node: Node, environment: Environment) -> bool:
        if node.text:
            for test in answered:
                if not test(node, environment):
                    return False
        elif blank is not None and blank(node, environment):
            return False
        return always is None or always(node, environment)

    return glance


def list_tests(
    field: Field, typed: bool, choices: frozenset[str], membership: Expression | None, constraint: Expression | None
) -> Iterator[Test]:
    """What must hold of an answer."""
    if typed:
        yield _type_test(field)
    if choices:
        yield _choice_test(field, choices)
    elif membership is not None:
        raw = membership.raw
        yield lambda node, environment: bool(raw(node, environment))
    if constraint is not None:
        yield _constraint_test(constraint)


def look_closely(_node: Node, _environment: Environment) -> bool:
    """The glance that never says yes."""
    return False


def _type_test(field: Field) -> Test:
    if field.type == "int":
        # What was read as a number has its form; with so few digits it has its size too.
        return lambda node, environment: type(value_of(node, environment)) is float and len(node.text) < 11
    plain = PLAIN_TEXTS.get(field.type)
    if plain is None:
        return look_closely
    return lambda node, environment: plain(node.text) is not None and not is_blank(node, environment)


def _choice_test(field: Field, choices: frozenset[str]) -> Test:
    if field.control == "select1":
        return lambda node, _environment: node.text in choices
    return lambda node, _environment: choices.issuperset(node.text.split())


def _constraint_test(rule: Expression) -> Test:
    test = rule.condition
    # No constraint is tested on a blank.
    return lambda node, environment: test(node, environment) or is_blank(node, environment)


def calculation_test(rule: Expression, bind_type: str) -> Test:
    """Whether an answer is what its calculation gives."""
    evaluate = rule.evaluate
    return lambda node, environment: agrees(evaluate(node, environment), node.text, bind_type, environment)
