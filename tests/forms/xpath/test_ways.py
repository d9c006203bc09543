import pytest

from forms.compiled import compile_form
from forms.node import PLAIN, Node
from forms.xpath.parser import parse
from forms.xpath.syntax import Path
from forms.xpath.ways import Way, Ways, walk
from tests.forms.samples import definition

REPEAT = '<group ref="/data/r"><repeat nodeset="/data/r"><input ref="/data/r/a"/></repeat></group>'
FORM = compile_form(definition("<g><q/></g><r><a/><h><b/></h></r>", body=REPEAT))


def way(expression: str, at: str) -> Way | None:
    path = parse(expression)
    assert isinstance(path, Path)
    shape = next(one for one in FORM.shape.all() if one.path == at)
    return Ways(path)[shape]


@pytest.mark.parametrize(
    ("expression", "at", "expected"),
    [
        pytest.param("../h/b", "/data/r/a", (1, ("h", "b")), id="beside the question"),
        pytest.param("current()/../a", "/data/r/a", (1, ("a",)), id="from the question"),
        pytest.param("/data/r/h/b", "/data/r/a", (1, ("h", "b")), id="in this instance"),
        pytest.param("/data/r", "/data/r/a", (1, ()), id="this instance itself"),
        pytest.param("/data/g/q", "/data/r/h/b", (3, ("g", "q")), id="outside the repeat"),
        pytest.param("/data/r/a", "/data/g/q", None, id="every instance from outside"),
        pytest.param("../../r", "/data/r/a", None, id="every instance from inside"),
        pytest.param("/data/r[a = 1]/a", "/data/r/a", None, id="a predicate"),
        pytest.param("../nul", "/data/r/a", None, id="no such node"),
        pytest.param("../../../x", "/data/r", None, id="beyond the root"),
        pytest.param("../*", "/data/r/a", None, id="a wildcard"),
        pytest.param("../@x", "/data/r/a", None, id="an attribute"),
    ],
)
def test_way_is_known_where_it_leads_to_one_node(expression: str, at: str, expected: Way | None) -> None:
    assert way(expression, at) == expected


def test_rows_of_lists_have_no_ways() -> None:
    path = parse("../x")
    assert isinstance(path, Path)
    assert Ways(path)[PLAIN] is None


def test_a_node_that_stands_alone_is_left_by_no_way() -> None:
    alone = Node("a", PLAIN, "", Node("r", PLAIN, "", None))
    assert walk(alone, (1, ("h", "b"))) is None
