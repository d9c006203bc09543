import pytest

from forms.list_trees import MOST_TREES, ListTrees, build_list, cell_text, tree_of
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
        pytest.param("count(instance('l')/lignes/item)", 3.0, id="any name for the root"),
        pytest.param("count(instance('l')/root/ligne)", 0.0, id="rows of another name"),
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


def test_values_of_a_column_are_those_of_all_rows() -> None:
    assert trees().values_of("postes", "pays") == {"SN", "ML"}


def test_list_that_may_have_changed_is_remembered() -> None:
    found = trees()
    found.find("postes")
    assert found.doubt.list_name is None
    found.find("dossiers")
    assert found.doubt.list_name == found.ever_uncertain == "dossiers.csv"


def test_list_that_is_not_at_hand_says_so() -> None:
    with pytest.raises(CannotVerify) as raised:
        trees(INLINE.format("v", "")).find("autre")
    assert raised.value.code == "list_not_held"


LIEUX = (
    b"<lieux maj='2026'>"
    b"<lieu genre='port'><nom>rosso</nom><tag>a</tag><tag>b</tag><region><nom>nord</nom></region></lieu>"
    b"<lieu genre='camp'>ignored<nom>nara</nom></lieu><note>Trois</note></lieux>"
)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        pytest.param("instance('l')/lieux/lieu[@genre='camp']/nom", "nara", id="by an attribute"),
        pytest.param("instance('l')/lieux/lieu[region/nom='nord']/@genre", "port", id="by what lies deeper"),
        pytest.param("instance('l')/lieux/note", "Trois", id="a row of another name"),
        pytest.param("count(instance('l')/lieux/lieu)", 2.0, id="rows of a name"),
        pytest.param("join('+', instance('l')/lieux/lieu/tag)", "a+b", id="a column twice"),
        pytest.param("instance('l')/lieux/@maj", "2026", id="an attribute of the list"),
        pytest.param("string-length(instance('l')/lieux/lieu[2])", 0.0, id="no text beside elements"),
        pytest.param("instance('l')/lieux/rien", "", id="nothing of that name"),
        pytest.param("pulldata('l', 'nom', 'nom', 'nara')", "nara", id="a column of rows of any name"),
    ],
)
def test_a_list_beyond_rows_and_columns_is_walked_as_it_stands(expression: str, value: object) -> None:
    held = parse_list("l.xml", LIEUX)
    document = build_list(())
    environment = Environment(document, find_list=lambda _name: tree_of(held))
    assert compile_expression(expression).value(document, environment) == value


@pytest.mark.parametrize(
    ("reference", "text"),
    [("nom", "rosso"), ("region/nom", "nord"), ("@genre", "port"), ("./nom", "rosso"), ("x/y", ""), ("@x", "")],
)
def test_a_cell_may_lie_deeper_or_in_an_attribute(reference: str, text: str) -> None:
    row = tree_of(parse_list("l.xml", LIEUX)).named["lieux"][0].named["lieu"][0]
    assert cell_text(row, reference) == text


def test_a_list_without_columns_has_no_values_of_one() -> None:
    held = HeldLists({"v.csv": parse_list("v.xml", b"<r><t>Rosso</t></r>")})
    assert ListTrees(definition("<a/>"), {}, held).values_of("v", "t") is None


def test_a_row_has_no_other_attributes() -> None:
    (row,) = build_list(ROWS[:1]).children()[0].children()
    assert not hasattr(row, "nothing")
