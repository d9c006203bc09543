import pytest

from forms.compiled import compile_form
from forms.dependencies import find_cycles, list_rules, referred_paths
from forms.xpath.parser import parse
from tests.forms.samples import definition


@pytest.mark.parametrize(
    ("expression", "paths"),
    [
        pytest.param("/data/a + 1", {"/data/a"}, id="absolute"),
        pytest.param("../b = .", {"/data/g/b", "/data/g/q"}, id="relative"),
        pytest.param("current()/../b", {"/data/g/b"}, id="current"),
        pytest.param("count(/data/r[n = current()/../b])", {"/data/r", "/data/r/n", "/data/g/b"}, id="predicate"),
        pytest.param("instance('l')/root/item[name = /data/a]/x", {"/data/a", "*/name"} - {"*/name"}, id="list"),
        pytest.param("/data/@version", {"/data/@version"}, id="attribute"),
        pytest.param("-(/data/a)", {"/data/a"}, id="negative"),
        pytest.param("/data/*", {"/data/g"}, id="a wildcard beside the node"),
        pytest.param("/data/r/*", set(), id="a wildcard elsewhere"),
        pytest.param("../../../b", {"/b"}, id="beside the form"),
        pytest.param("../../../../b", {"/../b"}, id="out of the form"),
    ],
)
def test_expression_names_paths_of_the_form(expression: str, paths: set[str]) -> None:
    assert referred_paths(parse(expression), "/data/g/q") == paths


@pytest.mark.parametrize(
    ("binds", "cycles"),
    [
        pytest.param('a calculate="/data/b"; b calculate="/data/c"; c calculate="/data/a"', 1, id="around three"),
        pytest.param('a relevant="/data/b = 1"; b calculate="/data/a"', 1, id="through relevance"),
        pytest.param('a calculate="once(/data/a)"', 1, id="its own earlier value"),
        pytest.param('a required=". = 1"', 1, id="required by itself"),
        pytest.param('a readonly="/data/b"; b calculate="/data/a"', 1, id="through what cannot be changed"),
        pytest.param('a constraint="/data/b"; b calculate="/data/a"', 0, id="a constraint is in none"),
        pytest.param('a calculate="/data/b"; c calculate="/data/a + /data/b"', 0, id="a diamond"),
    ],
)
def test_circles_are_found(binds: str, cycles: int) -> None:
    rules = [one.strip().partition(" ") for one in binds.split(";")]
    model = "".join(f'<bind nodeset="/data/{name}" {rest}/>' for name, _, rest in rules)
    assert len(find_cycles(compile_form(definition("<a/><b/><c/>", model)))) == cycles


def test_rules_of_a_node_are_listed_by_kind() -> None:
    form = compile_form(
        definition("<a/>", '<bind nodeset="/data/a" relevant="1" constraint=". > 1"/>'.replace(">", "&gt;", 1))
    )
    assert [kind for kind, _ in list_rules(form.rules["/data/a"])] == ["relevant", "constraint"]
