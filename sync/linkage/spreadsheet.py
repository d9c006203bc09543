"""A spreadsheet of records as people save it: text in any common delimiter and encoding, or a workbook."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from sync.linkage.errors import LinkageRefused
from sync.linkage.names import fold
from sync.linkage.record import COLUMNS, LinkRecord, list_unread, parse_record
from sync.linkage.workbook import is_workbook, read_workbook

_DELIMITERS = ",;\t|"
# What Excel writes on a French desk, after what it should write.
_ENCODINGS = ("utf-8-sig", "cp1252")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
# Kept with a record, and no reason to link it.
_NOT_WEIGHED = ("post", "tablet")
_NEAR = 0.8
# What registers here call the columns, without accents.
_CALLED = {
    "id": "record_id", "identifiant": "record_id", "numero": "record_id", "nom": "family_name",
    "nom_de_famille": "family_name", "surname": "family_name", "last_name": "family_name", "apelido": "family_name",
    "prenom": "given_name", "prenoms": "given_name", "first_name": "given_name", "nome": "given_name",
    "genre": "sex", "gender": "sex", "date_de_naissance": "birth_date", "naissance": "birth_date",
    "ne_le": "birth_date", "dob": "birth_date", "date_of_birth": "birth_date", "pays": "nationality",
    "country": "nationality", "lieu_de_naissance": "birth_place", "place_of_birth": "birth_place",
    "nom_de_la_mere": "mother_name", "mere": "mother_name", "mother": "mother_name", "telephone": "phone",
    "tel": "phone", "type_de_document": "document_type", "numero_de_document": "document_number",
    "numero_du_document": "document_number",
    "passport": "document_number", "passeport": "document_number", "date": "recorded_on",
    "date_enregistrement": "recorded_on", "date_d_enregistrement": "recorded_on", "registration_date": "recorded_on",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spreadsheet:
    """The records of a file, and what linkage could make nothing of: one mistyped title hides a whole column.

    `unknown` are columns that are not read, each with the known one that may be meant; `unread` counts, by column, the
    values that say something which cannot be read; `undated` are ages without a day, of which no year of birth follows.
    """

    records: list[LinkRecord]
    unknown: Mapping[str, str | None]
    missing: Sequence[str]
    unread: Mapping[str, int]
    undated: int


def read_spreadsheet(data: bytes) -> Spreadsheet:
    """Read a CSV file in any common delimiter and encoding, or the first sheet of a workbook.

    LinkageRefused names the line that is wrong. Columns may be missing and stand in any order; others are ignored.
    Without record_id lines are numbered.
    """
    text = read_workbook(data) if is_workbook(data) else _decode(data)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=_find_delimiter(text), strict=True)
    _normalise_header(reader)
    titles = list(dict.fromkeys(reader.fieldnames or ()))
    records, unread = _read_rows(reader)
    return Spreadsheet(
        records,
        {title: _find_meant(title) for title in titles if title and title not in COLUMNS},
        [name for name in COLUMNS if name not in titles and name not in _NOT_WEIGHED],
        unread,
        sum(one.age is not None and one.birth_date is one.recorded_on is None for one in records),
    )


def _read_rows(reader: "csv.DictReader[str]") -> tuple[list[LinkRecord], Counter[str]]:
    """The records, and by column how many values say nothing readable."""
    records: dict[str, LinkRecord] = {}
    unread: Counter[str] = Counter()
    try:
        for number, row in enumerate(reader, 1):
            if any(row.values()):
                record = _parse_row(reader.line_num, row, number)
                if record.record_id in records:
                    raise LinkageRefused("link_file_id_twice", line=reader.line_num)
                records[record.record_id] = record
                unread.update(list_unread(row, record))
    except csv.Error:
        # The reader stands behind the last row that it could read; an open quotation mark runs to the end.
        raise LinkageRefused("link_file_malformed", line=reader.line_num + 1) from None
    if not records:
        raise LinkageRefused("link_file_empty")
    return list(records.values()), unread


def _find_meant(title: str) -> str | None:
    """The column that a title may mean: near to it in letters, or what it is called in French or elsewhere."""
    plain = "_".join(fold(title))
    return _CALLED.get(plain) or next(iter(get_close_matches(plain, COLUMNS, 1, _NEAR)), None)


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
