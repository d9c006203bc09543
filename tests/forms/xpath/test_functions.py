"""Every function, operator and path against JavaRosa's own answers in functions.csv."""

import math
from datetime import UTC, date, datetime

import pytest

from forms.compiled import compile_form
from forms.node import PLAIN, Node
from forms.shapes import build_record
from forms.xform import parse_form
from forms.xml import parse_xml
from forms.xpath.compiler import compile_expression
from forms.xpath.environment import Environment, no_list
from forms.xpath.errors import CannotVerify, XPathRefused
from forms.xpath.functions.lists import in_language
from forms.xpath.moments import Moment, iso_date, parts_of
from forms.xpath.values import Value, to_boolean, to_number, to_text
from tests.oracle.functions import FORM, SUBMISSION, Row, read_table

DEFINITION = parse_form(FORM.read_bytes())
COMPILED = compile_form(DEFINITION)
# Where we differ on purpose: the expression, and what the engine says in place of JavaRosa's answer.
DIFFERENT = {
    # Unknown functions are refused at publishing, wherever they stand.
    "false() and floor(1) = 1": "xpath_unknown_function",
    # The table was made on a JVM; on Android \\w and \\d know every alphabet.
    "regex('Fódé', '\\w+')": "cannot_match_surely",
    "regex('٣', '\\d')": "cannot_match_surely",
    # What only the tablet knows.
    "random() < 1": "cannot_replay",
    "string-length(uuid())": "cannot_replay",
    "string-length(uuid(8))": "cannot_replay",
    "property('deviceid')": "cannot_know_property",
    # Collect takes a list that it does not have for an empty one; we do not know whether it had it.
    "pulldata('list', 'a', 'b', 'c')": "cannot_find_list",
    # Comments inside patterns and counts above 9,999 are given up: nobody needs them, and some cost hours.
    "regex('a', '(?x)a')": "cannot_use_pattern",
    "regex('a','a{99999}')": "cannot_use_pattern",
    "regex('a', 'a{1,99999}')": "cannot_use_pattern",
    # Java counts days before 1582 by the Julian calendar.
    "date('0099-01-01')": "another number",
}
NOW = Moment(int(datetime(2026, 11, 3, 10, 30, tzinfo=UTC).timestamp() * 1000))


@pytest.fixture
def environment() -> Environment:
    record = build_record(COMPILED.shape, parse_xml(SUBMISSION.read_bytes()))
    return Environment(record.document, record.slots, now=NOW, find_list=find_list, texts=DEFINITION.texts)


def find_list(name: str) -> Node:
    return COMPILED.inline_lists[name] if name in COMPILED.inline_lists else no_list(name)


def find_node(document: Node, path: str) -> Node:
    node = document
    for step in path.strip("/").split("/"):
        name, _, index = step.rstrip("]").partition("[")
        node = node.named[name][int(index or 1) - 1]
    return node


def describe(value: Value) -> tuple[str, str]:
    match value:
        case bool():
            return "boolean", to_text(value)
        case float():
            return "number", to_text(value)
        case Moment():
            return "date", f"{iso_date(value)}T{clock_text(value)}Z"
    return "string", value


def clock_text(moment: Moment) -> str:
    parts = parts_of(moment)
    return f"{parts.hour:02d}:{parts.minute:02d}:{parts.second:02d}.{parts.millisecond:03d}"


@pytest.mark.parametrize(
    "row",
    [row for row in read_table() if row.expression not in DIFFERENT],
    ids=lambda row: f"{row.expression} at {row.context}",
)
def test_answers_as_javarosa_does(row: Row, environment: Environment) -> None:
    if row.type in ("error", "syntax error"):
        with pytest.raises((XPathRefused, CannotVerify)):
            evaluate(row, environment)
        return
    value = evaluate(row, environment)
    assert describe(value) == (row.type, row.value)
    assert same_number(to_number(value), float(row.number))
    assert to_boolean(value) == (row.boolean == "true")


@pytest.mark.parametrize("row", [row for row in read_table() if row.expression in DIFFERENT], ids=lambda row: row[2])
def test_differs_from_javarosa_as_declared(row: Row, environment: Environment) -> None:
    try:
        outcome = "another number" if to_number(evaluate(row, environment)) != float(row.number) else "the same"
    except (XPathRefused, CannotVerify) as error:
        outcome = error.code
    assert outcome == DIFFERENT[row.expression]


def evaluate(row: Row, environment: Environment) -> Value:
    expression = compile_expression(row.expression, COMPILED.surroundings)
    return expression.value(find_node(environment.document, row.context), environment)


def same_number(one: float, other: float) -> bool:
    return (math.isnan(one) and math.isnan(other)) or math.isclose(one, other, rel_tol=1e-15) or one == other


FAR_ABOVE = "indexed-repeat(../../../../x, /data/rep, 1)"
UNEVEN = "weighted-checklist(0, 9, /data/rep/n, /data/less/n)"
SQUARE = "0 0;0 2;2 2;2 0;0 0"


@pytest.mark.parametrize(
    ("line", "crosses"),
    [
        pytest.param("", False, id="nothing"),
        pytest.param("0 0;0 2", False, id="two points"),
        pytest.param("0 0;0 2;2 2", False, id="an open corner"),
        pytest.param(SQUARE, False, id="a square"),
        pytest.param("0 0;2 2;0 2;2 0;0 0", True, id="a bow tie"),
        pytest.param("0 0;0 4;2 4;2 2;0 2", True, id="ends on its first side"),
        pytest.param("0 2;0 4;2 4;2 0;0 0;0 2", False, id="goes on in line where it closes"),
        pytest.param("0 0;0 4;0 2", True, id="comes back upon itself"),
        pytest.param("0 0;0 0;0 2;2 2", False, id="a point twice"),
        pytest.param("0 0;0 2;2 2;2 4;1 1", True, id="the last side meets the first corner"),
        pytest.param("0 0;4 0;2 0;2 3", True, id="turns back and leaves"),
        pytest.param("2 0;2 4;0 4;0 2;2 2;4 2", True, id="crosses its first side"),
        pytest.param("0 0;;2 2", False, id="a gap"),
        pytest.param("1;2;3", False, id="latitudes alone"),
    ],
)
def test_a_line_that_crosses_itself(environment: Environment, line: str, crosses: bool) -> None:
    """Collect's own function, which JavaRosa does not know: the answers follow from the drawing."""
    assert compile_expression(f"intersects('{line}')").value(environment.document, environment) is crosses


@pytest.mark.parametrize(
    ("expression", "context", "code"),
    [
        pytest.param("intersects('0 0;x 2;2 2')", "/data", "cannot_use_function", id="no place"),
        pytest.param("../../../x", "/data/here", "cannot_leave_form", id="above the root"),
        pytest.param(FAR_ABOVE, "/data/here", "cannot_leave_form", id="far above"),
        pytest.param("now()", "/data/here", "cannot_know_now", id="no time"),
        pytest.param("jr:itext('nothing')", "/data/here", "cannot_find_text", id="no texts"),
        pytest.param("count(if(true(), 1, /data/rep))", "/data/here", "cannot_use_function", id="no nodes"),
        pytest.param(
            "weighted-checklist(0, 9, /data/rep/n, /data/less/n)",
            "/data/here",
            "cannot_use_function",
            id="lists of two lengths",
        ),
        pytest.param("date('2026-03-15T10:00:00.000+1:x')", "/data/here", "cannot_convert", id="no zone"),
        pytest.param("date('2026-03-15T10:00:0:0')", "/data/here", "cannot_convert", id="too many parts of a time"),
        pytest.param("date('2026-03-15T10:00:x')", "/data/here", "cannot_convert", id="no seconds"),
        pytest.param("regex('a', 'a\\')", "/data/here", "xpath_bad_pattern", id="nothing escaped"),
        pytest.param("'" + "x" * 50_001 + "'", "/data/here", "xpath_too_long", id="too long"),
        pytest.param(f"regex('a', '{'a' * 2_001}')", "/data/here", "cannot_use_pattern", id="pattern too long"),
        pytest.param(f"regex('{'a' * 20_001}', '(a)*')", "/data/here", "cannot_match_in_time", id="value too long"),
    ],
)
def test_what_cannot_be_evaluated_says_why(environment: Environment, expression: str, context: str, code: str) -> None:
    environment.now, environment.texts = None, {}
    with pytest.raises((XPathRefused, CannotVerify)) as refusal:
        compile_expression(expression).value(find_node(environment.document, context), environment)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("day", "english", "french"),
    [("2026-01-01", "1", "1"), ("2024-12-30", "1", "1"), ("2027-01-01", "1", "53"), ("2026-06-07", "24", "23")],
)
def test_weeks_are_counted_as_in_the_tablets_language(
    environment: Environment, day: str, english: str, french: str
) -> None:
    """French weeks are those of ISO 8601: Python's calendar says the same."""
    rule = compile_expression(f"format-date('{day}', '%W')")
    assert rule.value(environment.document, environment) == english
    environment.language = "fr"
    assert rule.value(environment.document, environment) == french == str(date.fromisoformat(day).isocalendar().week)


def test_half_a_sign_is_kept_as_java_keeps_it(environment: Environment) -> None:
    half = compile_expression("substr('a😀b', 1, 2)").value(environment.document, environment)
    assert half == "\ud83d"


def test_moments_are_equal_by_their_time() -> None:
    assert len({Moment(5), Moment(5), Moment(6)}) == 2
    assert repr(Moment(5)) == "Moment(1970-01-01+5ms)"


@pytest.mark.parametrize("wanted", ["/data/int", "/data/int + 0"])
def test_a_column_is_compared_with_a_number_as_numbers(environment: Environment, wanted: str) -> None:
    rule = f"count(instance('towns')/root/item[people = {wanted}])"
    assert compile_expression(rule).value(environment.document, environment) == 0.0


def test_the_name_of_a_choice_is_sought_at_each_node_anew(environment: Environment) -> None:
    rule = compile_expression("jr:choice-name(/data/colour, '/data/colour')", COMPILED.surroundings)
    asked = [rule.value(find_node(environment.document, path), environment) for path in ("/data/here", "/data/text")]
    assert asked == ["Rouge", "Rouge"]


def test_a_place_that_no_record_fills_is_blank(environment: Environment) -> None:
    environment.slots = [None] * len(environment.slots)
    rule = compile_expression("/data/text", COMPILED.surroundings)
    assert rule.value(environment.document, environment) == ""


def test_a_text_is_found_by_the_very_name_of_a_language() -> None:
    assert in_language({"en": "Red", "fr": "Rouge"}, "fr") == "Rouge"


def test_without_other_times_there_are_none() -> None:
    assert Environment(Node("", PLAIN, "", None)).other_times(True) == ()


def test_a_pattern_made_of_answers_is_not_quoted(environment: Environment) -> None:
    rule = compile_expression("regex('a', concat('[', /data/text))", COMPILED.surroundings)
    with pytest.raises(CannotVerify) as unsure:
        rule.value(find_node(environment.document, "/data/here"), environment)
    assert (unsure.value.code, unsure.value.params) == ("cannot_read_pattern", {})
