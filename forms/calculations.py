"""Whether a calculated answer is what its expression gives: the value as JavaRosa would have written it.

It is compared by meaning (numbers by size, dates by day, moments by second), since tablets print doubles differently.
"""

import math

from forms.readers import READERS
from forms.xpath.environment import Environment
from forms.xpath.moments import INTEGER_MAX, INTEGER_MIN, Moment, parse_date_time
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
