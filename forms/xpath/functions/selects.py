"""Answers of several choices, kept as one text with spaces: selected, count-selected, selected-at."""

from forms.node import Node
from forms.xpath.environment import Environment, Evaluate
from forms.xpath.part import Part, Scope, builder, function, scalar
from forms.xpath.syntax import Syntax
from forms.xpath.values import JAVA_SPACE, Value, must_be_text, to_java_int


@builder("selected", "is-selected", counts=lambda count: count == 2)
def selected(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
    """Whether a choice is among those ticked. The choice must be text: selected(x, 5) fails on the tablet."""
    answer, choice = parts[0].value, parts[1].value
    if isinstance(parts[1].fixed, str):
        return scalar(syntax, _selects(answer, parts[1].fixed), "boolean")

    def evaluate(node: Node, environment: Environment) -> Value:
        ticked, wanted = answer(node, environment), must_be_text(choice(node, environment))
        return f" {wanted.strip(JAVA_SPACE)} " in f" {must_be_text(ticked)} "

    return scalar(syntax, evaluate, "boolean")


def _selects(answer: Evaluate, choice: str) -> Evaluate:
    wanted = f" {choice.strip(JAVA_SPACE)} "
    return lambda node, environment: wanted in f" {must_be_text(answer(node, environment))} "


def split_choices(answer: Value) -> list[str]:
    """The choices of an answer in the order in which they were ticked."""
    return [choice for choice in must_be_text(answer).split(" ") if choice]


@function("count-selected", least=1, kind="number")
def count_selected(answer: Value) -> Value:
    """How many choices are ticked."""
    return float(len(split_choices(answer)))


@function("selected-at", least=2, kind="text")
def selected_at(answer: Value, position: Value) -> Value:
    """The choice at a position from 0, "" outside."""
    choices, index = split_choices(answer), to_java_int(position)
    return choices[index] if 0 <= index < len(choices) else ""
