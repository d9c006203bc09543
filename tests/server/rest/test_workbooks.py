"""Tables as a workbook: what is read back is what was written, and nothing in it calculates."""

import io
from pathlib import Path

import openpyxl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from server.rest import workbooks
from server.rest.workbooks import write_workbook
from tests.server.rest.program import Program
from tests.server.rest.test_exports import RECORDS, filled  # noqa: F401 (a fixture)

HEAD: list[object] = ["a", "b"]


def written(folder: Path, *lines: list[object], name: str = "t", rows: int = 1_048_576) -> Workbook:
    tables = [(name, lambda: [[HEAD], lines]), (name, lambda: [[HEAD]])]
    return openpyxl.load_workbook(io.BytesIO(b"".join(write_workbook(tables, folder, rows))))


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


def test_a_text_stays_a_text_for_whoever_edits_it(tmp_path: Path) -> None:
    sheet = written(tmp_path, ["=1+1", "plain"], ["@x", None])["t"]
    assert [(one.value, one.data_type, one.quotePrefix) for one in sheet["A"][1:]] == [
        ("=1+1", "s", True), ("@x", "s", True),
    ]  # fmt: skip
    assert not sheet["B2"].quotePrefix


def test_numbers_are_numbers_as_far_as_excel_keeps_them(tmp_path: Path) -> None:
    sheet = written(tmp_path, [-12, 1.5], [10**15, float("nan")], [True, ""])["t"]
    assert [[one.value for one in row] for row in sheet.iter_rows(min_row=2)] == [
        [-12, 1.5], ["1000000000000000", "nan"], ["True", None],
    ]  # fmt: skip


def test_a_table_that_fills_a_sheet_goes_on_on_the_next(tmp_path: Path) -> None:
    book = written(tmp_path, [1, 1], [2, 2], [3, 3], rows=3)
    sizes = {sheet.title: [row[0] for row in sheet.iter_rows(values_only=True)] for sheet in book}
    assert sizes == {"t": ["a", 1, 2], "t 2": ["a", 3], "t 3": ["a"]}


def test_a_sheet_that_is_just_full_is_the_last(tmp_path: Path) -> None:
    assert written(tmp_path, [1, 1], [2, 2], rows=3).sheetnames == ["t", "t 2"]


def test_a_text_too_long_for_a_cell_is_cut_and_says_so(tmp_path: Path) -> None:
    value = written(tmp_path, ["x" * 40_000, ""])["t"]["A2"].value
    assert (len(value), value[-1]) == (32_767, "…")
    value = written(tmp_path, ["\U0001d400" * 20_000, ""])["t"]["A2"].value
    assert (len(value.encode("utf-16-le")) // 2, value[-1]) == (32_767, "…")


@settings(max_examples=25, deadline=None)
@given(name=st.text() | st.just("HISTORY"))
@example(name="00" + "\U0001d400" * 40)
def test_any_table_finds_a_name_for_its_sheet(tmp_path_factory, name: str) -> None:  # type: ignore[no-untyped-def]
    assert len(written(tmp_path_factory.getbasetemp(), name=name).sheetnames) == 2
