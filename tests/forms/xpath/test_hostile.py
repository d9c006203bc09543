"""Nothing that a form or a record can hold makes the engine crash, hang or grow."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forms.compiled import compile_form
from forms.errors import FormsError
from forms.list_trees import build_list
from forms.lists import HeldLists
from forms.node import PLAIN, Node
from forms.shapes import build_record
from forms.validation import validate_submission
from forms.xpath.compiler import compile_expression
from forms.xpath.environment import FUEL, Environment
from forms.xpath.errors import CannotVerify, XPathRefused
from forms.xpath.part import FUNCTIONS
from forms.xpath.patterns import compile_pattern
from tests.forms.samples import definition, submission
from tests.forms.xpath.test_functions import environment, find_node

__all__ = ["environment"]

PIECES = st.sampled_from(
    [*FUNCTIONS, "(", ")", "(", ")", ",", "[", "]", "/", "..", ".", "/data/int", "../rep/n",
     "instance('towns')/root/item",
     "current()/.", "'a'", "''", "5", "1.5", "-", "+", "*", "div", "mod", "=", "!=", "<", ">=", "and", "or", "@id", " ",
     "/data/date", "/data/several", "/data/shape", "::", "|", "$x", "é", "'2026-03-15'"]
)  # fmt: skip
NEAR_EXPRESSIONS = st.lists(PIECES, max_size=25).map(" ".join)
CALLS = st.builds(
    lambda name, arguments: f"{name}({', '.join(arguments)})",
    st.sampled_from(sorted(FUNCTIONS)),
    st.lists(st.sampled_from(["/data/int", "/data/date", "/data/rep/n", "''", "'x'", "1e", "-7", "0.5", "/data/shape",
                              "today()", "true()", "/data/several", "1 div 0", "99999999999"]), max_size=5),
)  # fmt: skip


def try_expression(text: str, environment: Environment) -> None:
    with suppress(FormsError):
        compile_expression(text).value(find_node(environment.document, "/data/rep[2]/n"), environment)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.one_of(st.text(max_size=60), NEAR_EXPRESSIONS, CALLS))
def test_any_text_gives_a_value_or_an_error_of_ours(text: str, environment: Environment) -> None:
    try_expression(text, environment)


@settings(deadline=None)
@given(pattern=st.text(alphabet="ab[](){}^$.*+?|\\\\dwpQE&-~:,<>=!01", max_size=30), value=st.text(max_size=20))
def test_any_pattern_is_matched_or_refused(pattern: str, value: str) -> None:
    nowhere = Node("", PLAIN, "", None)
    with suppress(FormsError):
        compile_expression(f"regex({quoted(value)}, {quoted(pattern)})").value(nowhere, Environment(nowhere))


def quoted(text: str) -> str:
    return "'" + text.replace("'", "") + "'"


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|aa)+b", "(.*a){25}"])
def test_hostile_pattern_is_given_up(pattern: str) -> None:
    nowhere = Node("", PLAIN, "", None)
    checked = Environment(nowhere)
    rule = compile_expression(f"regex('{'a' * 19_000}!', '{pattern}')")
    # Matched to the end, the quickest of these takes over a second; a record has one budget for all of them.
    for _ in range(20):
        with pytest.raises(CannotVerify):
            rule.value(nowhere, checked)


def test_slow_matches_that_end_use_up_the_budget_of_a_record() -> None:
    nowhere = Node("", PLAIN, "", None)
    checked = Environment(nowhere)
    rule = compile_expression(f"regex('{'a' * 3_000}!', '(a+)+b')")

    def match_many_times() -> None:
        for _ in range(200):
            rule.value(nowhere, checked)

    with pytest.raises(CannotVerify):
        match_many_times()


@pytest.mark.parametrize(
    "text",
    ["(" * 5000, "-" * 30_000 + "1", "if(1, " * 500 + "1" + ", 2)" * 500, "a" + "[a" * 400, "concat(" * 1000],
    ids=["brackets", "minus signs", "conditions", "predicates", "calls"],
)
def test_deep_expression_is_refused(text: str) -> None:
    with pytest.raises(XPathRefused):
        compile_expression(text)


@pytest.mark.parametrize("operator", [" + 1", " and true()", " or 0", " * 2"])
def test_long_flat_expression_is_no_deep_one(operator: str) -> None:
    nowhere = Node("", PLAIN, "", None)
    compile_expression("1" + operator * 2000).value(nowhere, Environment(nowhere))


@pytest.mark.parametrize("pattern", ["(?R)", "a{e<=2}", "(?|a|b)", "\\L<x>", "(*FAIL)", "a{,3}", "(?P<n>a)", "["])
def test_syntax_that_only_python_knows_is_refused(pattern: str) -> None:
    with pytest.raises((XPathRefused, CannotVerify)):
        compile_pattern(pattern)


@pytest.mark.parametrize(
    "text",
    ["count(/data/rep[n > 1]) + count(/data/rep[n > 2])", " + ".join(["sum(../../rep/n)"] * 4)],
    ids=["predicates", "nodes that are reached"],
)
def test_work_for_one_record_is_bounded(text: str, environment: Environment) -> None:
    environment.fuel = 5
    rule, node = compile_expression(text), find_node(environment.document, "/data/rep[2]/n")
    with pytest.raises(CannotVerify) as error:
        # Counted, not timed: a record is given up at the same step on every machine.
        rule.value(node, environment)
    assert error.value.code == "cannot_finish"


@pytest.mark.parametrize("instances", [100, 200])
def test_a_rule_about_all_instances_in_each_costs_their_square(instances: int) -> None:
    body = '<group ref="/data/r"><repeat nodeset="/data/r"><input ref="/data/r/n"/></repeat></group>'
    form = compile_form(definition("<r><n/></r>", '<bind nodeset="/data/r/n" constraint="sum(../../r/n) = 0"/>', body))
    record = build_record(form.shape, submission("<r><n>1</n></r>" * instances).root)
    spent = Environment(record.document, record.slots)
    rule = form.rules["/data/r/n"].constraint
    assert rule is not None
    for node in [one for one in record.nodes if one.name == "n"]:
        assert rule.value(node, spent) is False
    assert FUEL - spent.fuel == instances * instances


def test_texts_that_double_each_other_end() -> None:
    text = "''"
    for _ in range(7):
        text = f"concat({text}, {text}, /data/text)"
    nowhere = Node("", PLAIN, "", None)
    long = build_list(({"a": "x" * 1_000},))
    rule = compile_expression(text.replace("/data/text", "instance('l')/root/item/a"))
    with pytest.raises(CannotVerify) as error:
        rule.value(nowhere, Environment(nowhere, find_list=lambda _name: long))
    assert error.value.code == "cannot_finish"


def test_a_text_that_nobody_typed_is_in_doubt_and_held_against_no_rule() -> None:
    checked = definition(
        "<a/>", "<bind nodeset='/data/a' constraint=\"normalize-space(.) = 'x'\"/>", '<input ref="/data/a"/>'
    )
    found = validate_submission(checked, submission(f"<a>{'x ' * 20_000}</a>"), HeldLists())
    assert [(one.grade, one.code) for one in found] == [("warning", "answer_too_long")]
