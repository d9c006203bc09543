"""The first sheet of an Excel or LibreOffice workbook, for those who have no other copy of a register."""

import csv
import io
from datetime import date, datetime

from python_calamine import CalamineError, CalamineWorkbook

from sync.linkage.errors import LinkageRefused

# Zip (xlsx, ods) and Microsoft's own container (xls, and whatever a password locks).
_BEGINNINGS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


def is_workbook(data: bytes) -> bool:
    """Whether a file begins as workbooks do; no text begins so."""
    return data.startswith(_BEGINNINGS)


def read_workbook(data: bytes) -> str:
    """The first sheet as CSV with commas, row by row, a line each; raise LinkageRefused where there is none."""
    try:
        rows = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python(skip_empty_area=False)
    except CalamineError:
        raise LinkageRefused("link_file_workbook") from None
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_word(cell) for cell in row] for row in rows)
    return text.getvalue()


def _word(cell: object) -> str:
    """What a cell shows: Excel keeps a telephone number as a fraction, and a day of birth with an hour."""
    if isinstance(cell, datetime):
        cell = cell.date()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return " ".join(str(cell).split())
