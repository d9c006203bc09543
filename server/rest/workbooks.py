"""Tables as an Excel workbook, a sheet for each, written row by row: memory does not grow with them.

Unlike CSV it is answered once it is whole: a workbook's directory names the length of every sheet.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import isfinite
from pathlib import Path

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from server.web.tables import defuse

COLUMNS = 16_384  # that Excel takes in a sheet
# What it takes besides: rows of a sheet with its head, characters of a cell and of a name, digits of a number.
_ROWS, _CHARACTERS, _NAME, _EXACT = 1_048_576, 32_767, 31, 10**15
_FORBIDDEN = frozenset("[]:*?/\\'")
_RESERVED = "history"  # the name of a sheet that Excel keeps for itself
_CHUNK = 1024 * 1024
# Everything is written as what it is: no text becomes a formula, a link or a number.
_PLAIN = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}

Lines = Iterable[Sequence[Sequence[object]]]


def write_workbook(
    tables: Iterable[tuple[str, Callable[[], Lines]]], folder: Path, rows: int = _ROWS
) -> Iterator[bytes]:
    """The bytes of a workbook with these tables, of each its name and its lines in pieces, the head first.

    No table may have more than COLUMNS: what lies beyond would be left out without a word.
    """
    with tempfile.TemporaryFile(dir=folder) as file:
        with Workbook(file, {**_PLAIN, "tmpdir": str(folder)}) as book:
            styles = (book.add_format({"bold": True}), book.add_format({"quote_prefix": True}))
            for name, lines in tables:
                _write_table(book, name, (line for piece in lines() for line in piece), styles, rows)
        file.seek(0)
        while chunk := file.read(_CHUNK):
            yield chunk


def _write_table(
    book: Workbook, name: str, lines: Iterator[Sequence[object]], styles: tuple[Format, Format], rows: int
) -> None:
    """One table, on as many sheets as it fills; each begins with the head."""
    bold, quoted = styles
    head, line = next(lines), next(lines, None)
    while True:
        sheet, row = book.add_worksheet(_name_sheet(name, [one.name.lower() for one in book.worksheets()])), 0
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, [str(one) for one in head], bold)
        while line is not None and row < rows - 1:
            row += 1
            _write_line(sheet, row, line, quoted)
            line = next(lines, None)
        if line is None:
            return


def _write_line(sheet: Worksheet, row: int, line: Sequence[object], quoted: Format) -> None:
    for column, value in enumerate(line):
        if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and abs(value) < _EXACT:
            sheet.write_number(row, column, value)
        elif value is not None and value != "":
            text = _shorten(str(value))
            # Text stays text also for whoever edits the cell: Excel's own mark for it, beside the value.
            sheet.write_string(row, column, text, quoted if defuse(text) != text else None)


def _shorten(text: str) -> str:
    return text if _length(text) <= _CHARACTERS else f"{_cut(text, _CHARACTERS - 1)}…"


def _length(text: str) -> int:
    """As Excel counts: a sign beyond the first 65,536 is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _cut(text: str, length: int) -> str:
    """The beginning that Excel counts as no longer; a sign of two is never halved."""
    return text.encode("utf-16-le", "surrogatepass")[: 2 * length].decode("utf-16-le", "ignore")


def _name_sheet(name: str, taken: Sequence[str]) -> str:
    """A name that Excel takes and that no other sheet has, whatever the table is called."""
    plain = "".join(one if one.isprintable() and one not in _FORBIDDEN else "_" for one in name).strip() or "_"
    for number in range(1, len(taken) + 3):
        end = f" {number}" if number > 1 else ""
        found = _cut(plain, _NAME - len(end)) + end
        if found.lower() not in (*taken, _RESERVED):
            break
    return found
