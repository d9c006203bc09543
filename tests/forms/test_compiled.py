import pytest

from forms.compiled import Rules, compile_form
from tests.forms.samples import definition

INPUT = '<input ref="/data/a"/>'
LIST = '<instance id="l"><root><item><name>x</name></item></root></instance>'
SELECT = """<{0} ref="/data/a"><itemset nodeset="{1}"><value ref="name"/><label ref="name"/></itemset></{0}>"""


def rules_of(binds: str, body: str = INPUT, path: str = "/data/a") -> Rules:
    return compile_form(definition("<a/><b/>", binds + LIST, body)).rules[path]


def test_form_is_compiled_once() -> None:
    form = definition("<a/>")
    assert compile_form(form) is compile_form(form)


@pytest.mark.parametrize(
    ("attributes", "body", "replayed"),
    [
        pytest.param('calculate="1 + 1"', "", True, id="hidden"),
        pytest.param('calculate="1 + 1"', INPUT, False, id="may be typed over"),
        pytest.param('calculate="1 + 1" readonly="true()"', INPUT, True, id="shown only"),
        pytest.param('calculate="uuid()"', "", False, id="chance"),
        pytest.param('calculate="today()"', "", False, id="the clock"),
        pytest.param("calculate=\"format-date(today(), '%b')\"", "", False, id="the tablet's language"),
        pytest.param('type="int"', INPUT, False, id="nothing to calculate"),
    ],
)
def test_calculation_is_compared_where_it_must_come_out_the_same(attributes: str, body: str, replayed: bool) -> None:
    assert rules_of(f'<bind nodeset="/data/a" {attributes}/>', body).is_replayed is replayed


@pytest.mark.parametrize(
    ("control", "nodeset", "narrowed"),
    [
        pytest.param("select1", "instance('l')/root/item[name != '']", True, id="choice of one"),
        pytest.param("select", "instance('l')/root/item[name != '']", False, id="choice of several"),
        pytest.param("select1", "instance('l')/root/item[position() = 1]", False, id="place in the list"),
        pytest.param("select1", "/data/b[. != '']", False, id="answers as choices"),
    ],
)
def test_filter_is_narrowed_to_the_answer_of_a_choice_of_one(control: str, nodeset: str, narrowed: bool) -> None:
    rules = rules_of('<bind nodeset="/data/a"/>', SELECT.format(control, nodeset))
    assert (rules.membership is not None) is narrowed


def test_refused_rule_is_kept_as_the_reason_and_stops_no_other() -> None:
    form = compile_form(
        definition("<a/><b/>", '<bind nodeset="/data/a" constraint="((" relevant="/data/b = 1"/>', INPUT)
    )
    assert form.refused["/data/a", "constraint"].code == "xpath_syntax"
    assert form.rules["/data/a"].relevant is not None


def test_what_hangs_on_chance_or_lists_is_marked_below_too() -> None:
    binds = '<bind nodeset="/data/g" relevant="random() &lt; count(instance(\'l\')/root/item)"/>'
    rules = compile_form(definition("<g><a/></g>", binds + LIST)).rules
    assert (rules["/data/g/a"].relevance_is_certain, rules["/data/g/a"].relevance_reads_lists) == (False, True)
    assert (rules["/data"].relevance_is_certain, rules["/data"].relevance_reads_lists) == (True, False)
