import math

import pytest

from forms.calculations import agrees, compute_with, written
from forms.list_trees import build_list
from forms.node import PLAIN, Node, read_text
from forms.readers import CALCULATED, READERS
from forms.xpath.compiler import compile_expression
from forms.xpath.environment import Environment
from forms.xpath.moments import DAY, MINUTE, Moment
from forms.xpath.values import Value

ENVIRONMENT = Environment(build_list(()), offset_ms=0)
DAY_TWO = Moment(DAY + 90 * MINUTE)


@pytest.mark.parametrize(
    ("value", "text", "kind", "verdict"),
    [
        pytest.param("", "", "string", True, id="nothing for nothing"),
        pytest.param(math.nan, "", "int", True, id="no number leaves a blank"),
        pytest.param("\x01 ", "", "string", True, id="Java trims control characters too"),
        pytest.param("", "a", "string", False, id="something for nothing"),
        pytest.param("a", "", "string", False, id="nothing for something"),
        pytest.param(True, "1", "string", True, id="true is 1"),
        pytest.param(True, "false", "boolean", False, id="true is not false"),
        pytest.param("x", "1", "boolean", True, id="any text is true"),
        pytest.param(0.1 + 0.2, "0.3", "decimal", True, id="doubles nearly equal"),
        pytest.param(2.9, "2", "int", True, id="a whole number is cut off"),
        pytest.param(3e9, "2147483647", "int", True, id="a whole number ends at 32 bits"),
        pytest.param(2.0, "deux", "decimal", False, id="a word for a number"),
        pytest.param(DAY_TWO, "1970-01-02", "date", True, id="a day without its time"),
        pytest.param(DAY_TWO, "1970-01-02T01:30:00.400Z", "dateTime", True, id="a moment to the second"),
        pytest.param(DAY_TWO, "1970-01-02T01:31:00Z", "dateTime", False, id="another minute"),
        pytest.param(DAY_TWO, "hier", "string", False, id="a word for a moment"),
        pytest.param("Awa  Diop ", "Awa Diop", "string", True, id="spaces"),
        pytest.param("Awa", "Ada", "string", False, id="another text"),
        pytest.param("7.0", "7", "decimal", True, id="a number written as text"),
        pytest.param("1.00000000001", "1.0", "string", True, id="one digit more"),
        pytest.param("10", "11", "string", False, id="other digits"),
    ],
)
def test_answer_is_compared_by_meaning(value: Value, text: str, kind: str, verdict: bool) -> None:
    assert agrees(value, text, kind, ENVIRONMENT) is verdict


def test_half_an_emoji_is_a_question_mark() -> None:
    assert written("a\ud83d") == "a?"


@pytest.mark.parametrize(
    ("rule", "kind", "sent", "value"),
    [
        pytest.param("true()", "boolean", "0", True, id="a boolean"),
        pytest.param("2.9", "int", "7", 2.0, id="a whole number"),
        pytest.param("1 div 4", "decimal", "7", 0.25, id="a number"),
        pytest.param("0 div 0", "decimal", "7", "", id="no number"),
        pytest.param("0 div 0", "int", "7", "", id="no whole number"),
        pytest.param("date('1970-01-02')", "date", "1970-01-01", Moment(DAY), id="a day"),
        pytest.param("date-time('1970-01-02T01:30:00.000Z')", "dateTime", "1970-01-01", DAY_TWO, id="a moment"),
        pytest.param("concat('a', 'b')", "barcode", "x", "ab", id="a text"),
        pytest.param("1 + 1", "string", "7", 2.0, id="a number in a text"),
        pytest.param("date('x')", "string", "7", "7", id="what cannot be known"),
    ],
)
def test_what_a_calculation_surely_gives_counts(rule: str, kind: str, sent: str, value: Value) -> None:
    node = Node("a", PLAIN, sent, None)
    compute = compute_with(compile_expression(rule), kind, READERS.get(kind, read_text))
    assert compute(node, ENVIRONMENT) == value


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        pytest.param("if(true(), '1970-01-02T00:00:00.000Z', 1)", "1970-01-02T00:00:00.000Z", id="a text stays one"),
        pytest.param("if(true(), date-time('1970-01-02'), 1)", Moment(DAY), id="a moment stays one"),
        pytest.param("if(random() < 2, '1970-01-02', 1)", Moment(DAY), id="what cannot be known goes by its look"),
    ],
)
def test_what_looks_like_a_moment_is_what_was_computed(rule: str, value: Value) -> None:
    node = Node("a", PLAIN, "1970-01-02T00:00:00.000Z", None)
    compute = compute_with(compile_expression(rule), "string", CALCULATED["any"])
    assert compute(node, ENVIRONMENT) == value
