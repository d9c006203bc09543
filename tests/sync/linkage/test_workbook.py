import io
from datetime import date, datetime
from typing import Any

import pytest
from openpyxl import Workbook

from sync.linkage.errors import LinkageRefused
from sync.linkage.record import LinkRecord
from sync.linkage.spreadsheet import read_spreadsheet
from sync.linkage.workbook import is_workbook, read_workbook


def make_workbook(*rows: list[Any]) -> bytes:
    book, file = Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    book.create_sheet("notes").append(["family_name"])
    book.save(file)
    return file.getvalue()


def test_a_workbook_is_read_as_its_cells_show() -> None:
    data = make_workbook(
        ["Record ID", "family_name", "birth_date", "age", "phone", "remark", None],
        ["a", "Touré", date(1985, 3, 7), None, 771234567, "two\nlines"],
        [],
        [17, "Sow, Ba", datetime.fromisoformat("1985-03-07T00:00"), 34.5, "+221 77 123 45 67", True],
    )
    assert read_spreadsheet(data).records == [
        LinkRecord("a", family_name="Touré", birth_date=date(1985, 3, 7), phone="771234567"),
        LinkRecord("17", family_name="Sow, Ba", birth_date=date(1985, 3, 7), age=34, phone="+221 77 123 45 67"),
    ]


def test_the_row_that_is_told_is_the_workbooks() -> None:
    data = make_workbook(["record_id", "sex", "remark"], ["a", "F", "two\nlines"], [], ["a", "F"])
    with pytest.raises(LinkageRefused) as refused:
        read_spreadsheet(data)
    assert (refused.value.code, refused.value.params) == ("link_file_id_twice", {"line": 4})


@pytest.mark.parametrize(
    "data", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), make_workbook(["sex"])[:900]],
    ids=["a zip", "behind a password", "cut off"],
)  # fmt: skip
def test_a_damaged_workbook_says_so(data: bytes) -> None:
    assert is_workbook(data)
    with pytest.raises(LinkageRefused) as refused:
        read_workbook(data)
    assert refused.value.code == "link_file_workbook"


def test_a_workbook_without_rows_is_refused_as_an_empty_text_is() -> None:
    with pytest.raises(LinkageRefused) as refused:
        read_spreadsheet(make_workbook())
    assert refused.value.code == "link_file_columns"
