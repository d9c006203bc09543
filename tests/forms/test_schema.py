from datetime import date
from decimal import Decimal

import pytest

from forms.schema import load_answers, schema_for
from tests.forms.samples import definition, sample_form, sample_submission, submission

REPEAT = '<group ref="/data/r"><repeat nodeset="/data/r"><input ref="/data/r/n"/></repeat></group>'
COUNTED = definition("<r><n/></r>", '<bind nodeset="/data/r/n" type="int"/>', REPEAT)


def test_record_loads_as_typed_nested_values() -> None:
    loaded = load_answers(sample_form("accueil.md").definition, sample_submission("accueil.xml"))
    assert loaded.findings == ()
    assert loaded.values["montant"] == Decimal("1.0E7")
    assert loaded.values["besoins"] == ["eau", "soins"]
    assert loaded.values["personnes"][0]["etat"] == {"naissance": date(1994, 5, 1), "age": 31}
    assert loaded.values["personnes"][1]["nom"] is None
    assert loaded.values["meta"]["audit"] == "audit.csv"


def test_schema_is_made_once_per_definition() -> None:
    form = definition("<a/>")
    assert schema_for(form) is schema_for(form)
    assert schema_for(form) is not schema_for(definition("<a/>"))


def test_nothing_is_required_and_unknown_nodes_are_kept() -> None:
    loaded = load_answers(definition("<a/><b/>"), submission("<x>1</x><y><z>2</z></y>"))
    assert loaded.values == {"x": "1", "y": {"z": "2"}}


def test_bad_value_is_a_finding_and_the_rest_is_loaded() -> None:
    loaded = load_answers(COUNTED, submission("<r><n>1</n></r><r><n>x</n></r>"))
    assert [(one.path, one.code, one.grade, one.value) for one in loaded.findings] == [
        ("/data/r[2]/n", "not_an_integer", "error", "x")
    ]
    assert loaded.values == {"r": [{"n": 1}, {}]}


def test_bad_value_that_nobody_typed_is_a_warning() -> None:
    form = definition("<c/>", '<bind nodeset="/data/c" type="int" calculate="1 div 3"/>')
    assert [one.grade for one in load_answers(form, submission("<c>0.33</c>")).findings] == ["warning"]


def test_group_where_the_form_has_a_question_is_a_finding() -> None:
    form = definition("<a/>", body='<input ref="/data/a"/>')
    assert [one.code for one in load_answers(form, submission("<a><b>1</b></a>")).findings] == ["not_an_answer"]


def test_empty_group_and_repeat_are_loaded_empty() -> None:
    assert load_answers(COUNTED, submission("<r/>")).values == {"r": [{}]}


def test_of_a_node_that_stands_twice_the_first_counts() -> None:
    assert load_answers(definition("<a/>"), submission("<a>1</a><a>2</a>")).values == {"a": "1"}


def test_template_of_a_repeat_is_no_answer() -> None:
    template = '<r xmlns:jr="http://openrosa.org/javarosa" jr:template=""><n>7</n></r>'
    assert load_answers(COUNTED, submission(template)).values == {}


@pytest.mark.parametrize("name", ["a.b", "Meta", "load", "fields", "context", "opts", "data"])
def test_names_that_mean_something_to_python_are_only_names(name: str) -> None:
    form = definition(f"<g><{name}/></g>", f'<bind nodeset="/data/g/{name}" type="int"/>')
    assert load_answers(form, submission(f"<g><{name}>1</{name}></g>")).values == {"g": {name: 1}}
    assert load_answers(form, submission(f"<g><{name}>x</{name}></g>")).findings[0].path == f"/data/g/{name}"
