import pytest

from sync.linkage.errors import LinkageRefused
from sync.linkage.record import LinkRecord
from sync.linkage.spreadsheet import read_spreadsheet

HEADER = "record_id,family_name,given_name\n"


@pytest.mark.parametrize(
    "data",
    [
        b"record_id,family_name\na,Tour\xc3\xa9\n",
        b"\xef\xbb\xbfrecord_id;family_name\r\na;Tour\xc3\xa9\r\n",
        b"Record ID\tFamily Name\na\tTour\xe9\n",
        "record_id|family_name\na|Touré\n".encode("utf-16"),
        b'"family_name","record_id","other"\n"Tour\xc3\xa9","a","x"\n\n,,\n',
        b"family_name , record_id\nTour\xc3\xa9 , a\n",
    ],
    ids=["plain", "BOM and semicolons", "tabs and cp1252", "UTF-16", "quotes, other columns, blank lines", "spaces"],
)
def test_spreadsheets_as_people_save_them(data: bytes) -> None:
    assert read_spreadsheet(data).records == [LinkRecord("a", family_name="Touré")]


def test_without_ids_records_are_numbered() -> None:
    assert [one.record_id for one in read_spreadsheet(b"family_name\nSow\nBa\n").records] == ["1", "2"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "link_file_columns"),
        (b"x,y\n1,2\n", "link_file_columns"),
        (HEADER.encode(), "link_file_empty"),
        (b"record_id,sex,sex\na,1,1\n", "link_file_column_twice"),
        (b"record_id,sex\n,1\n", "link_file_id_missing"),
        (b"record_id,sex\na,1\na,2\n", "link_file_id_twice"),
        (b"record_id,sex\na,1,2\n", "link_file_malformed"),
        (b'record_id,sex\na,"1\n', "link_file_malformed"),
        (b"record_id,sex\0\n\x81\n", "link_file_encoding"),
        (b"\xff\xfe\x00", "link_file_encoding"),
    ],
    ids=["nothing", "other columns", "no records", "a column twice", "no id", "an id twice", "too many cells",
         "an open quote", "no text", "half a sign"],
)  # fmt: skip
def test_files_that_cannot_be_read_say_why(data: bytes, code: str) -> None:
    with pytest.raises(LinkageRefused) as refused:
        read_spreadsheet(data)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "rows",
    ["a,1\n\n\na,2\n", 'b,"1\n"\na,1\na,2\n', "b,1\n,\n\n,2\n", 'a,1\nb,2\nc,1\nd,"2\ne,1\nf,2\n'],
    ids=["after blank lines", "after a cell of two lines", "no id after blank lines", "where a quote opens"],
)  # fmt: skip
def test_the_line_that_is_told_is_the_files(rows: str) -> None:
    with pytest.raises(LinkageRefused) as refused:
        read_spreadsheet(f"record_id,sex\n{rows}".encode())
    assert refused.value.params == {"line": 5}


def test_columns_that_are_not_known_are_told_with_the_known_ones_that_may_be_meant() -> None:
    sheet = read_spreadsheet("record_id;Nom;familly_name;Prénom;ne le;shoe size;;sex\na;;;;;;;1\n".encode())
    assert sheet.unknown == {
        "nom": "family_name", "familly_name": "family_name", "prénom": "given_name", "ne_le": "birth_date",
        "shoe_size": None,
    }  # fmt: skip
    assert [one for one in sheet.missing if one.endswith("name")] == ["family_name", "given_name", "mother_name"]


def test_values_that_cannot_be_read_are_counted_by_column() -> None:
    sheet = read_spreadsheet(
        b"sex,birth_date,age,nationality,recorded_on\n"
        b"F,1990,,SEN,2026-05-01\nfemale?,about 1990,old,Sengal,someday\n9,?,-,unknown,\n,spring,0,Guinea,\n"
    )
    assert dict(sheet.unread) == {"sex": 1, "birth_date": 2, "age": 1, "nationality": 1, "recorded_on": 1}
    assert (sheet.undated, [one.nationality for one in sheet.records]) == (1, ["SEN", "Sengal", "unknown", "GIN"])
