import pytest

from forms.list_trees import MOST_TREES, ListTrees, build_list, tree_of
from forms.lists import HeldLists, ListRows, parse_list
from forms.xpath.compiler import compile_expression
from forms.xpath.environment import Environment
from forms.xpath.errors import CannotVerify
from tests.forms.samples import definition

ROWS = ({"name": "rosso", "pays": "SN"}, {"name": "nara", "pays": "ML"}, {"name": "kayes", "pays": "ML"})
LISTS = HeldLists({"postes.csv": ListRows("postes.csv", ROWS), "dossiers.csv": ListRows("dossiers.csv", ROWS, False)})
BIND = '<bind nodeset="/data/a"/>'
INLINE = '<instance id="{0}">{1}</instance>'


def trees(instances: str = "") -> ListTrees:
    instances = instances or "".join(
        f'<instance id="{name}" src="jr://file-csv/{name}.csv"/>' for name in ("postes", "dossiers")
    )
    return ListTrees(definition("<a/>", BIND + instances), {"en_ligne": build_list(ROWS[:1])}, LISTS)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        pytest.param("instance('l')/root/item[name='nara']/pays", "ML", id="a row by its key"),
        pytest.param("instance('l')/root/item['nara'=name]/pays", "ML", id="a key written first"),
        pytest.param("instance('l')/root/item[pays='ML' and name!='nara']/name", "kayes", id="a key among conditions"),
        pytest.param("instance('l')/root/item[pays='ML'][position()=2]/name", "kayes", id="a place among the found"),
        pytest.param("instance('l')/root/item[pays='ML' and position()=3]/name", "kayes", id="a place among all"),
        pytest.param("instance('l')/root/item[name=3]/pays", "", id="a number is no key"),
        pytest.param("instance('l')/root/item[name='rien']/pays", "", id="no such row"),
        pytest.param("count(instance('l')/lignes/ligne)", 3.0, id="any names for root and rows"),
        pytest.param("pulldata('l', 'pays', 'name', 'rosso')", "SN", id="pulldata"),
    ],
)
def test_expressions_find_rows(expression: str, value: object) -> None:
    document = build_list(())
    environment = Environment(document, find_list=lambda _name: build_list(ROWS))
    assert compile_expression(expression).value(document, environment) == value


def test_tree_of_a_held_list_is_made_once_until_many_others_came() -> None:
    held = ListRows("a.csv", ROWS)
    first = tree_of(held)
    assert tree_of(held) is first
    others = [ListRows(f"{number}.csv", ()) for number in range(MOST_TREES)]
    assert all(tree_of(one) is not first for one in others)
    assert tree_of(held) is not first


def test_values_of_a_column_come_from_both_kinds_of_lists() -> None:
    assert trees().values_of("en_ligne", "name") == {"rosso"}
    assert trees().values_of("postes", "pays") == {"SN", "ML"}


def test_list_that_may_have_changed_is_remembered() -> None:
    found = trees()
    found.find("postes")
    assert found.doubt.list_name is None
    found.find("dossiers")
    assert found.doubt.list_name == found.ever_uncertain == "dossiers.csv"


@pytest.mark.parametrize(
    ("instances", "name", "code"),
    [
        pytest.param(
            INLINE.format("v", "<d><town>Rosso</town></d>"), "v", "cannot_read_list", id="rows that are texts"
        ),
        pytest.param(INLINE.format("v", "<d><x>1</x><y>2</y></d>"), "v", "cannot_read_list", id="a record"),
        pytest.param(INLINE.format("v", ""), "autre", "list_not_held", id="not at hand"),
    ],
)
def test_list_that_cannot_be_walked_says_why(instances: str, name: str, code: str) -> None:
    with pytest.raises(CannotVerify) as raised:
        trees(instances).find(name)
    assert raised.value.code == code


def test_held_file_of_another_shape_is_not_read() -> None:
    held = HeldLists({"v.csv": parse_list("v.xml", b"<r><t>Rosso</t></r>")})
    with pytest.raises(CannotVerify, match="rows and columns"):
        ListTrees(definition("<a/>"), {}, held).find("v")


def test_a_row_has_no_other_attributes() -> None:
    (row,) = build_list(ROWS[:1]).children()[0].children()
    assert not hasattr(row, "nothing")
