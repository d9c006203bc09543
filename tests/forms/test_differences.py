from forms.definition import FormDefinition
from forms.differences import Difference, compare_forms
from tests.forms.samples import definition, sample_form

MODEL = '<bind nodeset="/data/a" type="{type}" {rules}/>'


def form(
    children: str = "<a/>", type_: str = "string", rules: str = "", label: str = "A", items: str = ""
) -> FormDefinition:
    control = "select1" if items else "input"
    body = f'<{control} ref="/data/a"><label>{label}</label>{items}</{control}>'
    return definition(children, MODEL.format(type=type_, rules=rules), body)


def item(value: str, label: str) -> str:
    return f"<item><label>{label}</label><value>{value}</value></item>"


def test_the_same_form_has_no_difference() -> None:
    same = sample_form("accueil.md").definition
    assert compare_forms(same, same) == []


def test_new_fields_come_before_those_that_are_gone() -> None:
    assert compare_forms(form("<a/><b/>"), form("<a/><c/>")) == [
        Difference("added", "/data/c", "field", after="string"),
        Difference("removed", "/data/b", "field", before="string"),
    ]


def test_changed_type_and_rules_are_named() -> None:
    new = form(type_="int", rules='required="true()" constraint=". &gt; 1"')
    assert compare_forms(form(rules='constraint=". &gt; 0"'), new) == [
        Difference("changed", "/data/a", "type", "string", "int"),
        Difference("added", "/data/a", "required", None, "true()"),
        Difference("changed", "/data/a", "constraint", ". > 0", ". > 1"),
    ]


def test_rule_that_is_gone_is_removed() -> None:
    assert compare_forms(form(rules='relevant="1"'), form()) == [Difference("removed", "/data/a", "relevant", "1")]


def test_changed_words_are_named_by_language() -> None:
    assert compare_forms(form(label="A"), form(label="B")) == [
        Difference("changed", "/data/a", "label", "A", "B", language="")
    ]


def test_choices_are_compared_by_their_value() -> None:
    old, new = form(items=item("1", "Un") + item("2", "Deux")), form(items=item("1", "One") + item("3", "Trois"))
    assert compare_forms(old, new) == [
        Difference("changed", "/data/a", "choice", "Un", "One", language="", choice="1"),
        Difference("added", "/data/a", "choice", None, "Trois", choice="3"),
        Difference("removed", "/data/a", "choice", "Deux", None, choice="2"),
    ]


def test_changed_source_of_choices_is_named() -> None:
    body = """<select1 ref="/data/a"><itemset nodeset="instance('{}')/root/item"/></select1>"""
    old, new = definition("<a/>", body=body.format("x")), definition("<a/>", body=body.format("y"))
    assert compare_forms(old, new) == [
        Difference("changed", "/data/a", "choices", "instance('x')/root/item", "instance('y')/root/item")
    ]
