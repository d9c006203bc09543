import dataclasses

import pytest

from forms.compiled import compile_form
from forms.definition import Field
from forms.shapes import NAMES, Record, build_record, build_shapes
from tests.forms.samples import definition, submission

REPEAT = '<group ref="/data/r"><repeat nodeset="/data/r"><input ref="/data/r/a"/></repeat></group>'
FORM = compile_form(definition("<g><q/></g><r><a/></r>", body=REPEAT))
TEMPLATE = '<r xmlns:jr="http://openrosa.org/javarosa" jr:template=""><a>9</a></r>'


def record_of(answers: str) -> Record:
    return build_record(FORM.shape, submission(answers).root)


@pytest.mark.parametrize(
    ("answers", "texts"),
    [
        pytest.param("<g><q> oui\n</q></g>", {"/data/g/q": "oui"}, id="trimmed as Java trims"),
        pytest.param("<g><q>\u00a0oui</q></g>", {"/data/g/q": "\u00a0oui"}, id="a hard space stays"),
        pytest.param("", {"/data/g/q": ""}, id="what is missing is put back blank"),
        pytest.param("<r><a>1</a></r><r/>", {"/data/g/q": "", "/data/r[1]/a": "1", "/data/r[2]/a": ""}, id="instances"),
        pytest.param(TEMPLATE, {"/data/g/q": ""}, id="a template is no instance"),
        pytest.param('<x:g xmlns:x="urn:x"><q>1</q></x:g>', {"/data/g/q": "1"}, id="any namespace"),
    ],
)
def test_record_has_the_leaves_of_its_form(answers: str, texts: dict[str, str]) -> None:
    leaves = [one for one in record_of(answers).nodes if one.shape.path in ("/data/g/q", "/data/r/a")]
    assert {one.path(): one.text for one in leaves} == texts


def test_what_the_form_does_not_have_is_set_apart_leaf_by_leaf() -> None:
    record = record_of("<x>1</x><g><q>2</q><y><z>3</z><w/></y></g>")
    assert record.unknown == [("/data/x", "1"), ("/data/g/y/z", "3"), ("/data/g/y/w", "")]


def test_twins_are_counted() -> None:
    record = record_of("<g><q>1</q><q>2</q><q>3</q></g>")
    assert record.surplus == [("/data/g/q[2]", "2"), ("/data/g/q[3]", "3")]


def test_own_version_can_be_asked() -> None:
    (root,) = record_of("").document.named["data"]
    assert root.attributes["version"].text == "1"


def test_dissolved_record_has_no_links_upwards() -> None:
    record = record_of("<r><a>1</a></r>")
    record.dissolve()
    assert {one.parent for one in record.nodes} == {None}


def test_repeats_are_not_put_back() -> None:
    body = '<group ref="/data/g/r"><repeat nodeset="/data/g/r"><input ref="/data/g/r/a"/></repeat></group>'
    form = compile_form(definition("<g><q/><r><a/></r></g>", body=body))
    assert [one.path() for one in build_record(form.shape, submission("").root).nodes][-1] == "/data/g/q"


def test_a_field_without_a_place_has_no_shape() -> None:
    stray = dataclasses.replace(definition("<a/>"), fields=(Field("/data/g/x", "question"),))
    assert [one.path for one in build_shapes(stray).all()] == ["/data"]


def test_names_are_forgotten_before_they_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forms.shapes.MOST_NAMES", 1)
    record = record_of("<x1/><x2/><x3/>")
    assert [path for path, _ in record.unknown] == ["/data/x1", "/data/x2", "/data/x3"]
    assert len(NAMES) <= 2
