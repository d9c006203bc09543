import pytest

from forms.compiled import compile_form
from forms.shapes import build_record
from forms.xpath.environment import Environment
from tests.forms.samples import definition, submission

INPUT = '<input ref="/data/a"/>'
SELECT = '<{0} ref="/data/a"><item><value>eau</value></item><item><value>riz</value></item></{0}>'


@pytest.mark.parametrize(
    ("rules", "body", "answer", "in_order"),
    [
        pytest.param('type="int"', INPUT, "-12", True, id="whole number"),
        pytest.param('type="int"', INPUT, "x", False, id="no number"),
        pytest.param('type="int"', INPUT, "00000000012", False, id="more digits than a whole number has"),
        pytest.param('type="decimal"', INPUT, "1.5", True, id="decimal"),
        pytest.param('type="date"', INPUT, "2026-02-30", False, id="no such day"),
        pytest.param('type="geopoint"', INPUT, "1 2 3 4", False, id="places are always looked at"),
        pytest.param('constraint=". &gt; 5"', INPUT, "6", True, id="constraint holds"),
        pytest.param('constraint=". &gt; 5"', INPUT, "5", False, id="constraint broken"),
        pytest.param('constraint=". &gt; 5"', "", "5", True, id="constraint of a node that nobody is asked"),
        pytest.param('required="true()"', INPUT, "", False, id="required blank"),
        pytest.param('required="../b = 1"', INPUT, "", True, id="blank that is not required"),
        pytest.param('calculate="1 + 1"', "", "2", True, id="calculation agrees"),
        pytest.param('calculate="1 + 1"', "", "", False, id="calculation was cut out"),
        pytest.param("", SELECT.format("select1"), "eau", True, id="one choice"),
        pytest.param("", SELECT.format("select"), "riz eau", True, id="several choices"),
        pytest.param("", SELECT.format("select"), "riz or", False, id="no choice of the list"),
        pytest.param('constraint="(("', INPUT, "5", False, id="refused rule"),
    ],
)
def test_glance_settles_what_is_surely_in_order(rules: str, body: str, answer: str, in_order: bool) -> None:
    form = compile_form(definition("<a/><b/>", f'<bind nodeset="/data/a" {rules}/>', body))
    record = build_record(form.shape, submission(f"<a>{answer}</a>").root)
    node = next(one for one in record.nodes if one.name == "a")
    environment = Environment(record.document, record.slots, original=node)
    assert form.rules["/data/a"].glance(node, environment) is in_order
