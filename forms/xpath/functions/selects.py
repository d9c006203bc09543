"""Answers of several choices, kept as one text with spaces: selected, count-selected, selected-at."""

from forms.xpath.part import function
from forms.xpath.values import JAVA_SPACE, Value, must_be_text, to_java_int


@function("selected", "is-selected", least=2, kind="boolean")
def selected(answer: Value, choice: Value) -> Value:
    """Whether a choice is among those ticked. The choice must be text: selected(x, 5) fails on the tablet."""
    wanted = must_be_text(choice).strip(JAVA_SPACE)
    return f" {wanted} " in f" {must_be_text(answer)} "


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
