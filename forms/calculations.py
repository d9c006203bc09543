"""Whether a calculated answer is what its expression gives: the value as JavaRosa would have written it.

It is compared by meaning (numbers by size, dates by day, moments by second), since tablets print doubles differently.
"""

import math
from collections.abc import Callable

from forms.node import Node, Read
from forms.readers import READERS
from forms.xpath.compiler import Expression
from forms.xpath.environment import Environment
from forms.xpath.errors import CannotVerify
from forms.xpath.moments import DAY, INTEGER_MAX, INTEGER_MIN, MINUTE, Moment, iso_date, parse_date_time
from forms.xpath.values import JAVA_SPACE, Value, saturated, text_to_number, to_boolean, to_text

BOOLEAN_TEXTS = {"1": True, "true": True, "0": False, "false": False}
SECOND_MS = 1000


def agrees(value: Value, text: str, bind_type: str, environment: Environment) -> bool:
    """Whether an answer's text is the calculated value, "" being what NaN and "" leave behind."""
    if value != value or (isinstance(value, str) and not value.strip(JAVA_SPACE)):
        return text == ""
    if not text:
        return False
    if isinstance(value, bool) or bind_type == "boolean":
        return BOOLEAN_TEXTS.get(text) is to_boolean(value)
    if isinstance(value, float):
        return _same_number(value, text, bind_type)
    if isinstance(value, Moment):
        return _same_moment(value, text, bind_type, environment)
    return _same_text(written(value), text, bind_type, environment)


def compute_with(rule: Expression, bind_type: str, read: Read) -> Callable[[Node, Environment], Value]:
    """The value of a calculated node: what was sent, unless its calculation surely gives another.

    Then an answer was changed and not what follows from it, or the calculation itself: rules are held against what a
    tablet would have computed.
    """

    def compute(node: Node, environment: Environment) -> Value:
        # What a calculation reads of its own node is what was sent.
        sent = node.cached = read(node.text, environment)
        value = _evaluate_surely(rule, node, environment)
        if value is None or agrees(value, node.text, bind_type, environment):
            # A text that looks like a moment is still a text, where a text is what was computed.
            return node.text if isinstance(value, str) and bind_type == "string" else sent
        if rule.reads_clock and _agrees_at_another_time(rule, node, bind_type, environment):
            return sent
        return value if bind_type == "string" else read(_write(value, bind_type), environment)

    return compute


def _evaluate_surely(rule: Expression, node: Node, environment: Environment) -> Value | None:
    """What a rule gives; None where that is not sure."""
    doubt = environment.doubt
    before, doubt.list_name = doubt.list_name, None
    try:
        value = rule.value(node, environment)
        return value if doubt.list_name is None else None
    except CannotVerify:
        return None
    finally:
        doubt.list_name = before


def _agrees_at_another_time(rule: Expression, node: Node, bind_type: str, environment: Environment) -> bool:
    known = environment.now
    try:
        for moment in environment.other_times("today" in rule.uses):
            environment.now = moment
            value = _evaluate_surely(rule, node, environment)
            if value is not None and agrees(value, node.text, bind_type, environment):
                return True
    finally:
        environment.now = known
    return False


def _write(value: Value, bind_type: str) -> str:
    """The text that a tablet writes for a value in a node of a type, "" for NaN."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if value != value:
        return ""
    if isinstance(value, float):
        return str(saturated(value, INTEGER_MIN, INTEGER_MAX)) if bind_type == "int" else repr(value)
    if isinstance(value, Moment) and bind_type != "date":
        return f"{iso_date(value)}T{_clock(value.ms % DAY)}"
    return to_text(value)


def _clock(ms: int) -> str:
    return f"{ms // 3_600_000:02}:{ms // MINUTE % 60:02}:{ms // SECOND_MS % 60:02}.{ms % SECOND_MS:03}"


def written(value: str) -> str:
    """A text as a tablet writes it: of an emoji that substr() cut in two, Java writes a question mark."""
    return value.encode("utf-8", "replace").decode("utf-8")


def _same_number(value: float, text: str, bind_type: str) -> bool:
    if bind_type == "int":
        value = float(saturated(value, INTEGER_MIN, INTEGER_MAX))
    try:
        return math.isclose(float(text), value, rel_tol=1e-9, abs_tol=1e-9)
    except ValueError:
        return False


def _same_moment(value: Moment, text: str, bind_type: str, environment: Environment) -> bool:
    found = parse_date_time(text, environment.offset_ms)
    if found is None:
        return text == to_text(value)
    if bind_type == "date":
        return found.days == value.days
    return abs(found.ms - value.ms) < SECOND_MS


def _same_text(value: str, text: str, bind_type: str, environment: Environment) -> bool:
    if value.strip() == text or " ".join(value.split()) == " ".join(text.split()):
        return True
    read = READERS.get(bind_type)
    if read is not None:
        return read(value.strip(), environment) == read(text, environment)
    number, other = text_to_number(value), text_to_number(text)
    # concat() of a double may print one digit more on one machine than on another.
    return "." in value and math.isclose(number, other, rel_tol=1e-9)
