import pytest

from forms.lists import HeldLists, ListRows
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
