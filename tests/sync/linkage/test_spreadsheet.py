import pytest

from sync.linkage.errors import LinkageRefused
from sync.linkage.record import LinkRecord
from sync.linkage.spreadsheet import read_records

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
    assert read_records(data) == [LinkRecord("a", family_name="Touré")]


def test_without_ids_records_are_numbered() -> None:
    assert [one.record_id for one in read_records(b"family_name\nSow\nBa\n")] == ["1", "2"]


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
        read_records(data)
    assert refused.value.code == code
