"""Every function, operator and path against JavaRosa's own answers in functions.csv."""

import math
from datetime import UTC, datetime

import pytest

from forms.compiled import compile_form
from forms.node import Node
from forms.shapes import build_record
from forms.xform import parse_form
from forms.xml import parse_xml
from forms.xpath.compiler import compile_expression
from forms.xpath.environment import Environment, no_list
from forms.xpath.errors import CannotVerify, XPathRefused
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
    # Java counts days before 1582 by the Julian calendar.
    "date('0099-01-01')": "another number",
    # lists.py keeps no names of rows.
    "instance('towns')/root/nothing": "cannot_compare_repeated",
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
