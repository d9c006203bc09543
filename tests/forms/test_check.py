import dataclasses

import pytest

from forms.check import check_form
from forms.definition import EntityDeclaration, FormDefinition
from forms.xlsform import read_form
from tests.forms.samples import definition, sample_form

BODY = '<input ref="/data/a"/><input ref="/data/b"/>'


def form(binds: str, body: str = BODY) -> FormDefinition:
    return definition("<a/><b/>", binds, body)


def a(rules: str) -> FormDefinition:
    return form(f'<bind nodeset="/data/a" {rules}/>')


def check(checked: FormDefinition) -> list[tuple[str, str]]:
    return [(one.grade, one.code) for one in check_form(checked)]


@pytest.mark.parametrize(
    ("checked", "found"),
    [
        pytest.param(a("constraint=\". &gt; 1 and /data/b = 'x'\""), [], id="nothing wrong"),
        pytest.param(a('relevant="floor(/data/b) = 1"'), [("error", "xpath_unknown_function")], id="unknown function"),
        pytest.param(a('constraint="substr(.)"'), [("error", "xpath_arguments")], id="too few arguments"),
        pytest.param(a('calculate="1 +"'), [("error", "xpath_syntax")], id="not an expression"),
        pytest.param(a('calculate="//b"'), [("error", "xpath_unsupported_step")], id="an axis that Collect refuses"),
        pytest.param(a("constraint=\"regex(., '[')\""), [("error", "xpath_bad_pattern")], id="no pattern"),
        pytest.param(
            a("calculate=\"instance('x')/root/item/y\""), [("error", "xpath_unknown_list")], id="no such list"
        ),
        pytest.param(a('relevant="/data/c = 1"'), [("warning", "reference_to_nothing")], id="a path to nothing"),
        pytest.param(a('relevant="../c = 1"'), [("warning", "reference_to_nothing")], id="a relative path to nothing"),
        pytest.param(a('constraint="false()"'), [("warning", "constraint_never_holds")], id="constantly false"),
        pytest.param(a('constraint="1 &gt; 2"'), [("warning", "constraint_never_holds")], id="false by its numbers"),
        pytest.param(a('constraint=". &gt; 5 and . &lt; 3"'), [("warning", "constraint_never_holds")], id="no number"),
        pytest.param(a('constraint="5 &lt; . and . &lt;= 5"'), [("warning", "constraint_never_holds")], id="touching"),
        pytest.param(a('constraint=". &gt;= 5 and . &lt;= 5"'), [], id="exactly one number"),
        pytest.param(a('relevant="/data/@lang = 1"'), [], id="an attribute that the record may have"),
        pytest.param(a("constraint=\"date('x')\""), [], id="no verdict without a record"),
        pytest.param(a('repeat="x" constraint=". &gt; random()"'), [], id="chance may hold"),
        pytest.param(a('relevant="/data/a = 1"'), [("error", "rules_in_a_circle")], id="relevance of itself"),
        pytest.param(
            a('calculate="/data/a + 1"'), [("error", "rules_in_a_circle")], id="calculation from its own value"
        ),
        pytest.param(
            form('<bind nodeset="/data/a" calculate="/data/b"/><bind nodeset="/data/b" relevant="/data/a = 1"/>'),
            [("error", "rules_in_a_circle")],
            id="two that wait for each other",
        ),
    ],
)
def test_form_is_checked(checked: FormDefinition, found: list[tuple[str, str]]) -> None:
    assert check(checked) == found


def test_problem_names_the_column_and_quotes_the_rule() -> None:
    (problem,) = check_form(a('constraint="floor(.) = 1"'))
    assert (problem.sheet, problem.column, problem.quoted) == ("survey", "constraint", "floor(.) = 1")
    assert problem.word() == "There is no function “floor”."


CASCADE = """
| survey |
| | type | name | label | choice_filter |
| | select_one pays | p | P | |
| | select_one ville | v | V | pays = ${p} |
| choices |
| | list_name | name | label | pays |
| | pays | ml | Mali | |
| | pays | mr | Mauritanie | |
| | ville | kayes | Kayes | ml |
| settings |
| | form_id |
| | cascade |
"""


def test_cascade_without_choice_is_found() -> None:
    read = read_form(CASCADE.encode(), "cascade.md")
    (problem,) = check_form(read.definition)
    assert problem.word() == "/data/v has no choice where /data/p is answered by: mr."


def test_label_that_lacks_a_language_is_found() -> None:
    survey = "| survey |\n| | type | name | label::Français (fr) | label::English (en) |\n| | text | a | Âge | |\n"
    survey += "| | text | b | Nom | Name |\n"
    survey += "| settings |\n| | form_id |\n| | langues |\n"
    read = read_form(survey.encode(), "langues.md")
    assert [(one.code, one.params["language"]) for one in check_form(read.definition)] == [
        ("text_missing_in_language", "English (en)")
    ]


def test_mapping_of_a_group_feeds_nothing() -> None:
    checked = definition("<g><a/></g>", '<bind nodeset="/data/g" teral:person="given_names"/>', "")
    assert check(checked) == [("error", "mapping_to_nothing")]


@pytest.mark.parametrize("filename", ["accueil.md"])
def test_sample_form_has_no_error(filename: str) -> None:
    assert [one for one in check_form(sample_form(filename).definition) if one.grade == "error"] == []


ENTITY = '<meta><entity dataset="{}" create="1" id=""><label/></entity></meta>'


@pytest.mark.parametrize(
    ("instance", "path", "found"),
    [
        pytest.param(f"<g><a/></g>{ENTITY.format('gens')}", "/data/g/a", [], id="in a group"),
        pytest.param(
            f"<g><a/><h>{ENTITY.format('lits')}</h></g>{ENTITY.format('gens')}",
            "/data/g/a",
            [("warning", "save_to_not_offline")],
            id="in a group that holds another entity",
        ),
        pytest.param(
            f"<g><h><a/></h><k>{ENTITY.format('lits')}</k></g>{ENTITY.format('gens')}",
            "/data/g/h/a",
            [("warning", "save_to_not_offline")],
            id="in a group beside another entity",
        ),
        pytest.param(f"<g><a/>{ENTITY.format('gens')}</g>", "/data/g/a", [], id="beside its entity"),
    ],
)
def test_what_collect_does_not_keep_offline_is_told(instance: str, path: str, found: list[tuple[str, str]]) -> None:
    bind = f'<bind nodeset="{path}" entities:saveto="nom"/>'
    assert check(definition(instance, bind, f'<input ref="{path}"/>')) == found


def declared(**facts: str) -> FormDefinition:
    """A form whose entity says this of itself, whatever its sheet was."""
    entity = EntityDeclaration("l", "/data", "2024.1.0", creates=True, updates=False, **facts)  # type: ignore[arg-type]
    return dataclasses.replace(form(""), entities=(entity,))


def test_what_an_entity_computes_and_saves_is_checked() -> None:
    assert ("error", "xpath_unknown_function") in check(declared(label_expression="floor(1)", id_expression="floor(1)"))
    assert ("error", "mapping_to_nothing") in check(
        dataclasses.replace(
            form(""), entities=(EntityDeclaration("l", "/data", "2024.1.0", True, False, save_to=(("p", "/data/z"),)),)
        )
    )
    assert check(declared(id_expression="/data/z")) == []


def test_a_filter_that_cannot_be_read_is_quoted() -> None:
    body = """<select1 ref="/data/a"><itemset nodeset="instance('l')/root/item[floor(1)]"><value ref="name"/>
      <label ref="name"/></itemset></select1>"""
    rows = '<instance id="l"><root><item><name>x</name></item></root></instance>'
    listed = definition("<a/>", f'<bind nodeset="/data/a"/>{rows}', body)
    (problem,) = check_form(listed)
    assert (problem.column, problem.quoted) == ("choice_filter", "instance('l')/root/item[floor(1)]")


def test_a_cascade_after_what_is_no_choice_is_not_followed() -> None:
    body = """<select1 ref="/data/a"><itemset nodeset="instance('l')/root/item[k = /data/b]"><value ref="name"/>
      <label ref="name"/></itemset></select1><input ref="/data/b"/>"""
    rows = '<instance id="l"><root><item><name>x</name><k>1</k></item></root></instance>'
    assert check(definition("<a/><b/>", f'<bind nodeset="/data/a"/>{rows}', body)) == []
