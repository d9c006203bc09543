import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.lists import HeldLists, ListRefused, find_tree, parse_list
from forms.xml import parse_xml

GEOJSON = b"""{"type": "FeatureCollection", "features": [
  {"type": "Feature", "id": 7, "properties": {"name": "rosso", "rang": 1, "note": null},
   "geometry": {"type": "Point", "coordinates": [-15.8, 16.5]}},
  {"type": "Feature", "properties": {"name": "fleuve"},
   "geometry": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}},
  {"type": "Feature", "properties": null,
   "geometry": {"type": "Polygon", "coordinates": [[[1, 2], [3, 4], [1, 2]]]}}]}"""


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"name,label\nrosso,Rosso\n\nbakel,Bakel\n", id="commas"),
        pytest.param(b"name;label\r\nrosso;Rosso\r\nbakel;Bakel", id="semicolons and Windows lines"),
        pytest.param('\ufeff"name","label"\n"rosso","Rosso"\nbakel,Bakel\n'.encode(), id="byte order mark and quotes"),
    ],
)
def test_csv_becomes_rows(data: bytes) -> None:
    rows = parse_list("sites.csv", data).rows
    assert rows == ({"name": "rosso", "label": "Rosso"}, {"name": "bakel", "label": "Bakel"})


def test_xml_becomes_rows() -> None:
    data = b"<root><item><name>rosso</name><label>Rosso</label></item><item><name/></item></root>"
    assert parse_list("sites.XML", data).rows == ({"name": "rosso", "label": "Rosso"}, {"name": ""})


def test_geojson_becomes_rows_with_geometry_in_odk_notation() -> None:
    rows = parse_list("lieux.geojson", GEOJSON).rows
    assert rows[0] == {"name": "rosso", "rang": "1", "note": "", "id": "7", "geometry": "16.5 -15.8 0 0"}
    assert rows[1]["geometry"] == "2 1 0 0; 4 3 0 0"
    assert rows[2] == {"geometry": "2 1 0 0; 4 3 0 0; 2 1 0 0"}


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        pytest.param("a.xlsx", b"", "list_file_kind", id="another kind of file"),
        pytest.param("a.csv", b"name\n\xe9\n", "list_not_utf8", id="latin-1"),
        pytest.param("a.csv", b"", "list_header", id="empty"),
        pytest.param("a.csv", b",,\n1,2,3\n", "list_header", id="no column names"),
        pytest.param("a.csv", b"name,name\n1,2\n", "list_header", id="a name twice"),
        pytest.param("a.csv", b'name\n"a"b\n', "list_malformed", id="quotes that do not match"),
        pytest.param("a.xml", b"<root>", "list_malformed", id="broken XML"),
        pytest.param("a.geojson", b"{", "list_malformed", id="broken JSON"),
        pytest.param("a.geojson", b"[]", "list_malformed", id="JSON that is no collection"),
        pytest.param("a.geojson", GEOJSON.replace(b"Point", b"Blob"), "list_malformed", id="unknown geometry"),
        pytest.param("a.geojson", GEOJSON.replace(b"[-15.8, 16.5]", b"[1]"), "list_malformed", id="half a point"),
        pytest.param("a.geojson", b'{"features":' + b"[" * 100_000, "list_malformed", id="deep JSON"),
    ],
)
def test_list_that_cannot_be_read_is_refused(name: str, data: bytes, code: str) -> None:
    with pytest.raises(ListRefused) as refused:
        parse_list(name, data)
    assert refused.value.code == code
    assert name in str(refused.value)


def test_values_of_a_column_skip_rows_without_it() -> None:
    rows = parse_list("a.xml", b"<root><item><name>1</name></item><item><autre>2</autre></item></root>")
    assert rows.values_of("name") == rows.values_of("name") == {"1"}
    assert rows.values_of("nada") == frozenset()


def test_held_lists_are_found_by_file_name() -> None:
    rows = parse_list("a.csv", b"name\n1\n")
    lists = HeldLists({"a.csv": rows})
    assert (lists.find_list("a.csv"), lists.find_list("b.csv")) == (rows, None)


@given(st.sampled_from(["a.csv", "a.xml", "a.geojson"]), st.binary(max_size=100))
def test_any_bytes_are_rows_or_refused(name: str, data: bytes) -> None:
    try:
        assert parse_list(name, data).name == name
    except ListRefused as refused:
        assert refused.params == {"name": name}  # noqa: PT017 (either outcome is right)


@pytest.mark.parametrize(
    ("xml", "irregular"),
    [
        pytest.param(b"<root><item><n>1</n></item><item/></root>", False, id="rows and columns"),
        pytest.param(b"<towns><town>Rosso</town><town>Bakel</town></towns>", True, id="rows that are texts"),
        pytest.param(b"<data><nom>Awa</nom><age/></data>", True, id="a saved record"),
        pytest.param(b"<root><item><g><n>1</n></g></item></root>", True, id="columns inside columns"),
        pytest.param(b"<root><item kind='a'><n>1</n></item></root>", True, id="attributes of rows"),
        pytest.param(b"<root><item><n lang='fr'>1</n></item></root>", True, id="attributes of columns"),
        pytest.param(b"<root of='a'><item><n>1</n></item></root>", True, id="attributes of the list"),
        pytest.param(b"<root><item><n>1</n><n>2</n></item></root>", True, id="a column twice"),
        pytest.param(b"<root>1</root>", True, id="a text alone"),
        pytest.param(b"<root><row><n>1</n></row></root>", True, id="rows of another name"),
        pytest.param(b"<root> <!-- none --> </root>", False, id="no rows"),
    ],
)
def test_what_is_more_than_rows_and_columns_is_kept_whole(xml: bytes, irregular: bool) -> None:
    assert (find_tree(parse_xml(xml)) is not None) is irregular
    assert (parse_list("l.xml", xml).tree is not None) is irregular
