"""Tables as a workbook: what is read back is what was written, and nothing in it calculates."""

import io

import openpyxl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from python_calamine import load_workbook

from server.rest import workbooks
from server.rest.workbooks import write_workbook
from tests.server.rest.program import Program
from tests.server.rest.test_exports import RECORDS, filled  # noqa: F401 (a fixture)

HEAD: list[object] = ["a", "b"]


def written(*lines: list[object], name: str = "t", rows: int = 1_048_576) -> Workbook:
    tables = [(name, lambda: [[HEAD], lines]), (name, lambda: [[HEAD]])]
    return openpyxl.load_workbook(io.BytesIO(b"".join(write_workbook(tables, rows))))


def test_a_workbook_has_a_sheet_for_each_table(filled: Program) -> None:  # noqa: F811
    book = openpyxl.load_workbook(io.BytesIO(filled.get(f"{RECORDS}.xlsx").data))
    assert book.sheetnames == ["market", "crate", "crate.layer"]
    head, plain, full = book["market"].iter_rows(values_only=True)
    rows = [dict(zip(head, one, strict=True)) for one in (plain, full)]
    assert [(one["fruit"], one["boxes"], one["KEY"]) for one in rows] == [
        ("=HYPERLINK(1)", -12, "plain"), ("mango", 3, "full"),
    ]  # fmt: skip


def test_a_form_wider_than_a_sheet_is_refused_whole(filled: Program, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    names = filled.get(f"{RECORDS}.csv").text.splitlines()[0].split(",")
    monkeypatch.setattr(workbooks, "COLUMNS", len(names))
    assert filled.get(f"{RECORDS}.xlsx").status_code == 200
    monkeypatch.setattr(workbooks, "COLUMNS", len(names) - 1)
    refused = filled.get(f"{RECORDS}.xlsx")
    assert (refused.status_code, refused.json["code"]) == (501, 501.99)
    assert refused.json["details"] == {"columns": len(names), "most": len(names) - 1}


def test_a_text_stays_a_text_for_whoever_edits_it() -> None:
    sheet = written(["=1+1", "plain"], ["@x", None])["t"]
    assert [(one.value, one.data_type, one.quotePrefix) for one in sheet["A"][1:]] == [
        ("=1+1", "s", True), ("@x", "s", True),
    ]  # fmt: skip
    assert not sheet["B2"].quotePrefix


@pytest.mark.parametrize(
    "text",
    [
        "=1+1", "+221 77 000 00 00", "-", "@SUM(A1)", "\t=1", "'=1", "🚢 \U0001f1f8\U0001f1f3", "مرحبا é\u200f\u00a0ñ",
        "x" * 32_767, "\U0001d400" * 16_383, "1900-01-01", "1900-02-29", "23:59:60", "2026-11-26T01:45:11.188+07:00",
        "a\x00\x01\x1b\r\t\ne", "_x0041_ _x000D_", "<&>\"']]>", "9" * 40, "-0.0000000000000000001", "007",
        " lead, tail ", "TRUE", "#N/A",
    ],
)  # fmt: skip
def test_another_reader_finds_every_text_as_it_was(text: str) -> None:
    assert read_by_calamine(text) == text


@settings(max_examples=50, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"), min_size=1))
def test_another_reader_finds_any_text_as_it_was(text: str) -> None:
    assert read_by_calamine(text) == text


@pytest.mark.parametrize("number", [0, -12, 0.1, -16.2, 10**15 - 1, 1 - 10**15])
def test_another_reader_finds_numbers(number: float) -> None:
    assert (read_by_calamine(number), read_by_calamine(str(number))) == (number, str(number))


def read_by_calamine(value: object) -> object:
    """What a reader with which the writer has nothing in common finds in a cell."""
    table = [("t", lambda: [[HEAD], [[value, "end"]]])]
    sheet = load_workbook(io.BytesIO(b"".join(write_workbook(table)))).get_sheet_by_name("t")
    found, end = sheet.to_python()[1]
    assert end == "end"
    return found


def test_numbers_are_numbers_as_far_as_excel_keeps_them() -> None:
    sheet = written([-12, 1.5], [10**15, float("nan")], [True, ""])["t"]
    assert [[one.value for one in row] for row in sheet.iter_rows(min_row=2)] == [
        [-12, 1.5], ["1000000000000000", "nan"], ["True", None],
    ]  # fmt: skip


def test_a_table_that_fills_a_sheet_goes_on_on_the_next() -> None:
    book = written([1, 1], [2, 2], [3, 3], rows=3)
    sizes = {sheet.title: [row[0] for row in sheet.iter_rows(values_only=True)] for sheet in book}
    assert sizes == {"t": ["a", 1, 2], "t 2": ["a", 3], "t 3": ["a"]}


def test_a_sheet_that_is_just_full_is_the_last() -> None:
    assert written([1, 1], [2, 2], rows=3).sheetnames == ["t", "t 2"]


def test_a_text_too_long_for_a_cell_is_cut_and_says_so() -> None:
    value = written(["x" * 40_000, ""])["t"]["A2"].value
    assert (len(value), value[-1]) == (32_767, "…")
    value = written(["\U0001d400" * 20_000, ""])["t"]["A2"].value
    assert (len(value.encode("utf-16-le")) // 2, value[-1]) == (32_767, "…")


def test_what_xml_cannot_hold_is_written_as_excel_does() -> None:
    sheet = written(['a <b> & "c"\nd', "\r\x01\ud800\uffff_x0041_ _x"])["t"]
    assert [one.value for one in sheet[2]] == ['a <b> & "c"\nd', "_x000D__x0001__xD800__xFFFF__x005F_x0041_ _x"]


def test_rows_are_sent_while_they_are_read() -> None:
    read = iter(range(1000))
    pieces = write_workbook([("t", lambda: [[HEAD], ([one, "x"] for one in read)])])
    assert next(pieces).startswith(b"PK")
    assert next(read) < 200
    pieces.close()


def test_a_sheet_longer_than_excel_reads_goes_on_on_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "_LONGEST_SHEET", 5000)
    book = written(*([one, "x"] for one in range(250)))
    values = [row[0].value for sheet in book for row in sheet.iter_rows(min_row=2)]
    assert (len(book.sheetnames), values) == (4, list(range(250)))


def test_the_head_is_bold_and_stays_in_sight() -> None:
    sheet = written([1, 2])["t"]
    assert ([one.font.bold for one in sheet["A"]], sheet.freeze_panes) == ([True, False], "A2")


@settings(max_examples=25, deadline=None)
@given(name=st.text() | st.just("HISTORY"))
@example(name="00" + "\U0001d400" * 40)
def test_any_table_finds_a_name_for_its_sheet(name: str) -> None:
    assert len(written(name=name).sheetnames) == 2
