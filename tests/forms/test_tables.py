"""A form as tables, a record as their rows."""

from forms.submission import parse_submission
from forms.tables import flatten, list_fields, list_tables, odata_name, parent_key, row_id
from forms.xlsform import convert_xlsform
from tests.server.rest.samples import MARKET, workbook

FORM = convert_xlsform(workbook(MARKET), "market.xlsx").definition


def test_each_repeat_is_a_table_named_by_its_path() -> None:
    tables = list_tables(FORM)
    assert list(tables) == ["", "crate", "crate.layer"]
    assert [one.place for one in tables[""].columns if one.place[0] == "seller"] == [("seller", "stall")]
    assert (tables["crate.layer"].parent, tables["crate.layer"].place) == (tables["crate"], ("layer",))
    assert list_tables(FORM) is tables


def test_rows_are_typed_nested_and_tied_to_their_parents() -> None:
    xml = b"""<data id="market" version="1"><boxes>3</boxes><price>much</price><seller><stall>B</stall></seller>
      <crate><mark/><layer><count>1</count></layer></crate><crate><layer><count>2</count></layer></crate></data>"""
    rows = flatten(parse_submission(xml), FORM)
    assert rows[0].values == {"boxes": 3, "price": "much", "seller": {"stall": "B"}}
    assert [(one.table, one.number, one.parent, one.key, one.values) for one in rows[1:]] == [
        ("crate", 1, 0, "crate[1]", {}),
        ("crate.layer", 2, 1, "crate[1]/layer[1]", {"count": 1}),
        ("crate", 3, 0, "crate[2]", {}),
        ("crate.layer", 4, 3, "crate[2]/layer[1]", {"count": 2}),
    ]


def test_a_field_is_named_as_odata_allows() -> None:
    assert [odata_name(one) for one in ("a-b.c", "1st", "_ok", "é")] == ["a_b_c", "_1st", "_ok", "__"]
    assert [one.path for one in list_fields(FORM, odata=True)][:2] == ["/fruit", "/boxes"]


def test_a_rows_id_is_the_records_or_made_from_its_path() -> None:
    assert row_id("uuid:1", "") == "uuid:1"
    ids = {row_id("uuid:1", key) for key in ("crate[1]", "crate[2]", "crate[1]/layer[1]")}
    assert len(ids | {row_id("uuid:2", "crate[1]")}) == 4


def test_a_table_and_its_turns_name_those_around_them() -> None:
    tables = list_tables(FORM)
    assert [one.odata_name for one in tables.values()] == [
        "Submissions",
        "Submissions.crate",
        "Submissions.crate.layer",
    ]
    assert parent_key(tables["crate.layer"], "crate[2]/layer[1]") == "crate[2]"
    assert parent_key(tables["crate"], "crate[2]") == ""


def test_outside_odata_a_field_keeps_the_name_that_its_form_gives() -> None:
    assert [one.path for one in list_fields(FORM)][:2] == ["/fruit", "/boxes"]
