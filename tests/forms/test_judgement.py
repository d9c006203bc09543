import inspect
import sys

import pytest

from forms.lists import HeldLists, ListRows, parse_list
from forms.validation import validate_submission
from tests.forms.samples import definition, submission

INPUT = '<input ref="/data/a"/>'
COUNTED = (
    """<group ref="/data/r"><repeat nodeset="/data/r" jr:count="/data/a"><input ref="/data/r/n"/></repeat></group>"""
)
CHOICES = """<select1 ref="/data/a"><itemset nodeset="instance('l')/root/item{}">
  <value ref="name"/><label ref="name"/></itemset></select1>"""
LISTS = HeldLists({"l.csv": ListRows("l.csv", ({"name": "x", "k": "1"}, {"name": "y", "k": "2"}), certain=False)})
END = '<bind nodeset="/data/end" jr:preload="timestamp" jr:preloadParams="end"/><bind nodeset="/data/r/n" type="int"/>'
DAY = "<a>2026-03-01</a>"
IN_LIST = "constraint=\"pulldata('l', 'k', 'name', .) = 1\""
SINCE = 'relevant="today() &gt; {}"'
SOURCE = '<instance id="l" src="jr://file-csv/l.csv"/>'


def judged(rules: str, answers: str, body: str = INPUT) -> list[tuple[str, str, str]]:
    binds = f'<bind nodeset="/data/a" {rules}/>{END}{SOURCE}'
    form = definition("<a/><b/><end/><r><n/></r>", binds, body)
    found = validate_submission(form, submission(f"{answers}<end>2026-03-01T10:00:00.000Z</end>"), LISTS)
    return [(one.path, one.grade, one.code) for one in found]


@pytest.mark.parametrize(
    ("rules", "answers", "grade", "code"),
    [
        pytest.param('constraint=". &gt; 5"', "<a>5</a>", "error", "constraint_broken", id="constraint"),
        pytest.param('required="true()"', "", "error", "required", id="required"),
        pytest.param('required="date(/data/b)"', "<b>x</b>", "warning", "cannot_convert", id="required in doubt"),
        pytest.param('type="int"', "<a>x</a>", "error", "not_an_integer", id="type"),
        pytest.param('relevant="/data/b = 1"', "<a>x</a>", "warning", "not_relevant", id="not relevant"),
        pytest.param('relevant="date(/data/b)"', "<a/><b>x</b>", "warning", "cannot_convert", id="relevance in doubt"),
        pytest.param('relevant="random() &lt; 2" constraint="0"', "<a>5</a>", "warning", "cannot_replay", id="chance"),
        pytest.param('constraint=". &gt; now()"', "<a>1</a>", "error", "constraint_broken", id="far from the clock"),
        pytest.param("constraint=\". &gt; today()\" type='date'", DAY, "warning", "clock_in_doubt", id="near"),
        pytest.param(IN_LIST, "<a>y</a>", "warning", "list_uncertain", id="list"),
        pytest.param(f"{SINCE.format(20_000)} constraint='0'", "<a>5</a>", "error", "constraint_broken", id="asked"),
        pytest.param(f"{SINCE.format(20_512)} constraint='0'", "<a>5</a>", "warning", "clock_in_doubt", id="new today"),
    ],
)  # fmt: skip
def test_rule_that_fails_is_said_as_surely_as_it_is_known(rules: str, answers: str, grade: str, code: str) -> None:
    assert judged(rules, answers) == [("/data/a", grade, code)]


@pytest.mark.parametrize(
    ("filtered", "answer", "codes"),
    [
        pytest.param("", "x", [], id="in the list"),
        pytest.param("", "z", ["list_uncertain"], id="not in the list as we have it"),
        pytest.param("[k = /data/b]", "x", [], id="in the filtered list"),
        pytest.param("[k = /data/b]", "y", ["list_uncertain"], id="filtered out"),
        pytest.param("[position() = 2]", "y", [], id="by its place"),
    ],
)
def test_choice_is_sought_in_its_filtered_list(filtered: str, answer: str, codes: list[str]) -> None:
    found = judged("", f"<a>{answer}</a><b>1</b>", CHOICES.format(filtered))
    assert [code for _, _, code in found] == codes


@pytest.mark.parametrize(
    ("answers", "codes"),
    [
        pytest.param("<a>2</a><r/><r/>", [], id="as many as asked"),
        pytest.param("<a>2</a><r/>", ["repeat_count_differs"], id="one too few"),
        pytest.param("<a>1</a>", ["repeat_count_differs"], id="none"),
        pytest.param("", [], id="none asked"),
    ],
)
def test_instances_are_counted(answers: str, codes: list[str]) -> None:
    assert [code for _, _, code in judged("", answers, INPUT + COUNTED)] == codes


def judged_with_sum(rules: str, answers: str, body: str = INPUT) -> list[tuple[str, str]]:
    """What is said where /data/b is calculated and /data/a is asked; both are numbers."""
    binds = f'<bind nodeset="/data/a" type="int" {rules}/><bind nodeset="/data/c" type="int"/>{END}{SOURCE}'
    form = definition("<a/><b/><c/><end/>", binds, body)
    found = validate_submission(form, submission(f"{answers}<end>2026-03-01T10:00:00.000Z</end>"), LISTS)
    return [(one.path, one.code) for one in found]


def of_b(calculation: str, kind: str = "int") -> str:
    return f'constraint=". &lt; /data/b"/><bind nodeset="/data/b" type="{kind}" calculate="{calculation}"'


BROKEN, DIFFERS = ("/data/a", "constraint_broken"), ("/data/b", "calculation_differs")
YEARS = "int((today() - date('2000-03-01')) div 365.25)"


@pytest.mark.parametrize(
    ("calculation", "answers", "said"),
    [
        pytest.param("/data/c + 1", "<a>5</a><b>6</b><c>5</c>", [], id="as a tablet computed"),
        pytest.param("/data/c + 1", "<a>5</a><b>6</b><c>1</c>", [BROKEN, DIFFERS], id="an answer changed, its sum not"),
        pytest.param("/data/c + 1", "<a>5</a><b>9</b><c>4</c>", [BROKEN, DIFFERS], id="the sum changed"),
        pytest.param("/data/c + 1", "<a>5</a><c>5</c>", [DIFFERS], id="the sum left out"),
        pytest.param("/data/c div 0 * 0", "<a>5</a><b>9</b><c>1</c>", [BROKEN, DIFFERS], id="no number"),
        pytest.param("date('x')", "<a>5</a><b>9</b>", [("/data/b", "cannot_convert")], id="cannot be known"),
        pytest.param("random()", "<a>5</a><b>9</b>", [], id="chance is what was sent"),
        pytest.param(YEARS, "<a>5</a><b>26</b>", [], id="years as they are today"),
        pytest.param(YEARS, "<a>25</a><b>25</b>", [BROKEN], id="years as they were yesterday"),
        pytest.param(YEARS, "<a>28</a><b>31</b>", [BROKEN], id="years as they never were"),
        pytest.param("pulldata('l', 'k', 'name', 'x')", "<a>5</a><b>9</b>", [], id="an uncertain list proves nothing"),
    ],
)
def test_rules_hold_against_what_a_tablet_would_have_computed(
    calculation: str, answers: str, said: list[tuple[str, str]]
) -> None:
    assert judged_with_sum(of_b(calculation), answers) == said


def test_an_answer_that_is_shown_and_calculated_is_answered_by_its_calculation() -> None:
    rules = 'calculate="/data/c + 1" readonly="true()" required="true()" constraint=". &lt; 3"'
    assert judged_with_sum(rules, "<c>1</c>") == [("/data/a", "calculation_differs")]
    assert judged_with_sum(rules, "<a>2</a><c>7</c>") == [BROKEN, ("/data/a", "calculation_differs")]


def codes(binds: str, answers: str, body: str = INPUT) -> list[tuple[str, str]]:
    """What is said of a form with these binds; its nodes are a, b, end and a group g with x and y."""
    form = definition("<a/><b/><end/><g><x/><y/></g><r><n/></r>", binds + END + SOURCE, body)
    found = validate_submission(form, submission(f"{answers}<end>2026-03-01T10:00:00.000Z</end>"), LISTS)
    return [(one.path, one.code) for one in found]


ASKED = '<input ref="/data/g/x"/><input ref="/data/g/y"/>'
DOUBTED = """<bind nodeset="/data/g" relevant="date('x')"/>"""


def test_a_doubt_is_said_once_at_the_group_whose_rule_it_is() -> None:
    assert codes(DOUBTED, "<g><x>1</x><y>2</y></g>", ASKED) == [("/data/g", "cannot_convert")]


def test_a_rule_that_the_form_should_never_have_had_is_said_at_its_node() -> None:
    rules = '<bind nodeset="/data/a" constraint="floor(.) = 1"/><bind nodeset="/data/b" relevant="floor(1)"/>'
    assert codes(rules, "<a>1</a><b>2</b>") == [("/data/a", "xpath_unknown_function"), ("/data/b", "cannot_use_rule")]


@pytest.mark.parametrize(
    ("rule", "answer", "code"),
    [
        pytest.param(
            """constraint="pulldata('l', 'k', 'name', 'x') = 1 and . = 2" """, "1", "list_uncertain", id="a list"
        ),
        pytest.param('constraint="random() &gt; 2"', "1", "cannot_replay", id="chance"),
        pytest.param("constraint=\"date('x') &gt; .\"", "1", "cannot_convert", id="no date"),
        pytest.param('type="date" constraint=". &gt; 99999"', "2026-02-30", "not_a_date", id="what is no answer"),
    ],
)
def test_what_speaks_against_an_answer_is_weighed(rule: str, answer: str, code: str) -> None:
    assert codes(f'<bind nodeset="/data/a" {rule}/>', f"<a>{answer}</a>") == [("/data/a", code)]


def test_a_repeat_whose_number_cannot_be_known_is_not_counted() -> None:
    rules = """<bind nodeset="/data/a" calculate="date('x')"/>"""
    counted = COUNTED.replace('jr:count="/data/a"', "jr:count=\"date('x')\"")
    assert ("/data", "cannot_convert") in codes(rules, "<a/><r/>", counted)


def test_instances_that_nobody_asked_for_are_not_counted() -> None:
    hidden = '<bind nodeset="/data/r" relevant="false()"/>'
    assert codes(hidden, "<a>3</a>", INPUT + COUNTED) == []


def test_several_choices_are_sought_in_an_unfiltered_list() -> None:
    body = CHOICES.format("").replace("select1", "select")
    assert codes("", "<a>x y</a>", body) == []
    assert codes("", "<a>x z</a>", body) == [("/data/a", "list_uncertain")]


@pytest.mark.parametrize(("answer", "codes"), [("rosso", []), ("bakel", ["not_a_choice"])])
@pytest.mark.parametrize("filtered", ["", "[. != 'nara']"], ids=["the whole list", "a filtered list"])
def test_rows_that_are_texts_are_choices(filtered: str, answer: str, codes: list[str]) -> None:
    towns = '<bind nodeset="/data/a"/><instance id="l"><towns><town>rosso</town><town>nara</town></towns></instance>'
    body = f"""<select1 ref="/data/a"><itemset nodeset="instance('l')/towns/town{filtered}">
      <value ref="."/><label ref="."/></itemset></select1>"""
    found = validate_submission(definition("<a/>", towns, body), submission(f"<a>{answer}</a>"), HeldLists())
    assert [one.code for one in found] == codes


def test_rows_of_a_file_may_be_texts_too() -> None:
    towns = '<bind nodeset="/data/a"/><instance id="l" src="jr://file/towns.xml"/>'
    body = """<select1 ref="/data/a"><itemset nodeset="instance('l')/towns/town"><value ref="."/><label ref="."/>
      </itemset></select1>"""
    held = HeldLists({"towns.xml": parse_list("towns.xml", b"<towns><town>rosso</town><town>nara</town></towns>")})
    form = definition("<a/>", towns, body)
    assert validate_submission(form, submission("<a>nara</a>"), held) == []
    assert [one.code for one in validate_submission(form, submission("<a>x</a>"), held)] == ["not_a_choice"]


def test_rules_that_wait_for_each_other_are_settled_nowhere() -> None:
    rules = '<bind nodeset="/data/a" relevant="/data/b = 1"/><bind nodeset="/data/b" relevant="/data/a = 1"/>'
    assert codes(rules, "<a>1</a><b>1</b>")[0] == ("/data/a", "cannot_settle_cycle")


def test_relevance_through_a_thousand_questions_is_given_up() -> None:
    count = 1_500
    nodes = "".join(f"<q{index}/>" for index in range(count))
    binds = "".join(f'<bind nodeset="/data/q{index}" relevant="/data/q{index + 1} = 1"/>' for index in range(count - 1))
    answers = "".join(f"<q{index}>1</q{index}>" for index in range(count))
    found = validate_submission(definition(nodes, binds), submission(answers), LISTS)
    assert {one.grade for one in found} == {"warning"}
    assert "cannot_finish" in {one.code for one in found}


def test_what_need_not_be_answered_may_be_blank_though_it_is_calculated() -> None:
    rules = 'calculate="/data/c" readonly="true()" required="/data/c = 99"'
    assert judged_with_sum(rules, "<c/>") == []


def test_no_constraint_is_tested_on_a_place_that_was_never_taken() -> None:
    rules = '<bind nodeset="/data/a" type="geopoint" constraint="false()" required="floor(1)"/>'
    assert codes(rules, "<a>0 0 0 0</a>") == [("/data/a", "xpath_unknown_function")]


def test_what_hangs_on_chance_is_in_doubt_though_it_was_evaluated() -> None:
    rules = '<bind nodeset="/data/a" relevant="if(true(), 1, random())" constraint=". = 2"/>'
    assert codes(rules, "<a>1</a>") == [("/data/a", "cannot_replay")]


@pytest.mark.parametrize(
    ("outer", "inner"),
    [("not(", "."), ("not(", "current()/."), ("string(", ".")],
    ids=["anywhere", "at its own node", "a text"],
)
def test_a_rule_too_deep_for_the_stack_is_in_doubt(outer: str, inner: str) -> None:
    """Records are judged deep inside other programs; how much of the stack is left is not ours to say."""
    rule = outer * 110 + inner + ")" * 110
    form = definition("<a/><end/>", f'<bind nodeset="/data/a" constraint="{rule}"/>', INPUT)
    record = submission("<a>1</a>")
    validate_submission(form, record, LISTS)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 60)
    try:
        found = validate_submission(form, record, LISTS)
    finally:
        sys.setrecursionlimit(limit)
    assert [one.code for one in found] == ["cannot_finish"]
