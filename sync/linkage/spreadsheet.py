"""A spreadsheet of records as people save it, in any common delimiter and encoding."""

import csv
import io
from collections import Counter
from collections.abc import Sequence

from sync.linkage.errors import LinkageRefused
from sync.linkage.record import COLUMNS, LinkRecord, parse_record

_DELIMITERS = ",;\t|"
# What Excel writes on a French desk, after what it should write.
_ENCODINGS = ("utf-8-sig", "cp1252")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_records(data: bytes) -> list[LinkRecord]:
    """The records of a CSV file in any common delimiter and encoding; raise LinkageRefused with the line that is wrong.

    Columns may be missing and stand in any order; others are ignored. Without record_id lines are numbered.
    """
    text = _decode(data)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=_find_delimiter(text), strict=True)
    _normalise_header(reader)
    try:
        records = [
            _parse_row(reader.line_num, row, number) for number, row in enumerate(reader, 1) if any(row.values())
        ]
    except csv.Error:
        raise LinkageRefused("link_file_malformed", line=reader.line_num) from None
    if not records:
        raise LinkageRefused("link_file_empty")
    _refuse_twins(records)
    return records


def _decode(data: bytes) -> str:
    for encoding in ("utf-16",) if data.startswith(_UTF_16) else _ENCODINGS:
        text = _decode_as(data, encoding)
        if text is not None and "\0" not in text:
            return text
    raise LinkageRefused("link_file_encoding")


def _decode_as(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _find_delimiter(text: str) -> str:
    """The sign that parts the first line into most columns that are known."""
    header = text.lstrip().partition("\n")[0]
    return max(_DELIMITERS, key=lambda sign: len(set(map(_plain, header.split(sign))) & set(COLUMNS)))


def _plain(title: str) -> str:
    return title.strip().strip('"').strip().lower().replace(" ", "_")


def _normalise_header(reader: "csv.DictReader[str]") -> None:
    titles = [_plain(title) for title in reader.fieldnames or ()]
    if not set(titles) & (set(COLUMNS) - {"record_id"}):
        raise LinkageRefused("link_file_columns", known=", ".join(COLUMNS))
    for title, count in Counter(titles).items():
        if count > 1 and title in COLUMNS:
            raise LinkageRefused("link_file_column_twice", column=title)
    reader.fieldnames = titles


def _parse_row(line: int, row: dict[str, str], number: int) -> LinkRecord:
    if None in row:
        raise LinkageRefused("link_file_malformed", line=line)
    if not row.setdefault("record_id", str(number)).strip():
        raise LinkageRefused("link_file_id_missing", line=line)
    return parse_record(row)


def _refuse_twins(records: Sequence[LinkRecord]) -> None:
    seen: set[str] = set()
    for line, record in enumerate(records, 2):
        if record.record_id in seen:
            raise LinkageRefused("link_file_id_twice", line=line)
        seen.add(record.record_id)
