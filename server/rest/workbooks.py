"""Tables as an Excel workbook, a sheet for each, sent while they are read: memory does not grow with them.

A workbook is a zip, and a zip tells at its end what it holds: the rows go first, and what says which sheets there are
and how they look, which XlsxWriter writes, goes last.
"""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain
from math import isfinite
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_col_to_name

from forms.cells import defuse
from server.rest.sink import Sink

COLUMNS = 16_384  # that Excel takes in a sheet
# What it takes besides: rows of a sheet with its head, characters of a cell and of a name, digits of a number.
_ROWS, _CHARACTERS, _NAME, _EXACT = 1_048_576, 32_767, 31, 10**15
_FORBIDDEN = frozenset("[]:*?/\\'")
_RESERVED = "history"  # the name of a sheet that Excel keeps for itself
# It reads no member of a zip whose length takes more than 31 bits.
_LONGEST_SHEET = 2_000_000_000
_AT_ONCE = 100
# The formats of the frame by their number there: of the head, and of texts that stay texts for whoever edits them.
_BOLD, _QUOTED = ' s="1"', ' s="2"'
_FORMATS = ({"bold": True}, {"quote_prefix": True})
_SHEETS = "xl/worksheets/"
_BEGIN = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews>'
    '<sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    "</sheetView></sheetViews><sheetData>"
)
_END = "</sheetData></worksheet>"
_SPECIAL = re.compile(r"[&<>_\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
# What XML cannot hold is written as _x and four digits (ECMA-376, ST_Xstring), and so is what looks like that already.
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")

Line = Sequence[object]
Lines = Iterable[Iterable[Line]]


def write_workbook(tables: Iterable[tuple[str, Callable[[], Lines]]], rows: int = _ROWS) -> Iterator[bytes]:
    """The bytes of a workbook with these tables, of each its name and its lines in pieces, the head first.

    No table may have more than COLUMNS: what lies beyond would be left out without a word.
    """
    sink, names = Sink(), list[str]()
    with ZipFile(sink, "w", ZIP_DEFLATED) as archive:
        for name, lines in tables:
            table = _Table(chain.from_iterable(lines()))
            while not table.is_written:
                names.append(_name_sheet(name, [one.lower() for one in names]))
                with archive.open(f"{_SHEETS}sheet{len(names)}.xml", "w") as sheet:
                    for piece in table.write_sheet(rows):
                        sheet.write(piece)
                        yield sink.take()
        for path, content in _write_frame(names):
            archive.writestr(path, content)
    yield sink.take()


class _Table:
    """A table on its way into as many sheets as it fills; each begins with the head."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._head, self._lines = next(lines), lines
        self._line = next(lines, None)
        self.is_written = False

    def write_sheet(self, rows: int) -> Iterator[bytes]:
        row, length, waiting = 1, 0, [_BEGIN, _write_row(1, [str(one) for one in self._head], _BOLD)]
        while self._line is not None and row < rows and length < _LONGEST_SHEET:
            row += 1
            waiting.append(_write_row(row, self._line))
            self._line = next(self._lines, None)
            if len(waiting) > _AT_ONCE:
                piece = "".join(waiting).encode()
                waiting, length = [], length + len(piece)
                yield piece
        self.is_written = self._line is None
        yield "".join([*waiting, _END]).encode()


def _write_row(row: int, line: Line, style: str = "") -> str:
    cells = [
        _write_cell(f"{column}{row}", value, style)
        for column, value in zip(_name_columns(len(line)), line, strict=True)
        if value is not None and value != ""
    ]
    return f'<row r="{row}">{"".join(cells)}</row>'


@cache
def _name_columns(count: int) -> list[str]:
    return [xl_col_to_name(column) for column in range(count)]


def _write_cell(place: str, value: object, style: str) -> str:
    """Everything as what it is: no text becomes a formula, a link or a number."""
    if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and abs(value) < _EXACT:
        return f'<c r="{place}"{style}><v>{value}</v></c>'
    text = _shorten(str(value))
    # Text stays text also for whoever edits the cell: Excel's own mark for it, beside the value.
    style = style or (_QUOTED if defuse(text) != text else "")
    return f'<c r="{place}"{style} t="inlineStr"><is><t xml:space="preserve">{_escape(text)}</t></is></c>'


def _escape(text: str) -> str:
    # Nearly all texts are plain, and an export has millions of them.
    if not _SPECIAL.search(text):
        return text
    return _UNWRITABLE.sub(lambda found: f"_x{ord(found.group()):04X}_", escape(text))


def _write_frame(names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """All the members of a workbook with these sheets but for the sheets themselves."""
    with io.BytesIO() as file:
        with Workbook(file, {"in_memory": True}) as book:
            sheets = [book.add_worksheet(name) for name in names]
            # Formats are kept in the order of their first use.
            for column, shape in enumerate(_FORMATS):
                sheets[0].write_blank(0, column, None, book.add_format(shape))
        with ZipFile(file) as made:
            yield from [(path, made.read(path)) for path in made.namelist() if not path.startswith(_SHEETS)]


def _shorten(text: str) -> str:
    # No sign is more than two.
    fits = len(text) <= _CHARACTERS // 2 or _length(text) <= _CHARACTERS
    return text if fits else f"{_cut(text, _CHARACTERS - 1)}…"


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
