"""Lists beside a form: secondary instances in files, CSV, XML or GeoJSON, as rows of texts."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Protocol

from lxml import etree

from forms.errors import FormsError
from forms.xml import (
    FORM_LIMITS,
    XmlRefused,
    attributes_of,
    local_name,
    parse_xml,
    text_of,
    without_namespace,
)

Rows = list[dict[str, str]]


class ListRefused(FormsError):
    """A list file that cannot be read."""


@dataclass(frozen=True, slots=True)
class Branch:
    """One element of a list that is more than rows and columns, with all that hangs on it."""

    name: str
    text: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    below: tuple["Branch", ...] = ()


@dataclass(frozen=True, slots=True)
class ListRows:
    """One list. `certain` is false where the tablet may have held another state of it, as with entity lists.

    `tree` is the root of a list of which rows and columns do not say all.
    """

    name: str
    rows: tuple[dict[str, str], ...]
    certain: bool = True
    tree: Branch | None = None
    _columns: dict[str, frozenset[str]] = field(default_factory=dict, compare=False, repr=False)

    def values_of(self, column: str) -> frozenset[str]:
        """Everything that stands in a column."""
        if column not in self._columns:
            self._columns[column] = frozenset(row[column] for row in self.rows if column in row)
        return self._columns[column]


class Lists(Protocol):
    """Where validation finds a form's list files. None means: not at hand, nothing can be said."""

    def find_list(self, filename: str) -> ListRows | None: ...


@dataclass(frozen=True, slots=True)
class HeldLists:
    """Lists in memory, by file name."""

    by_filename: Mapping[str, ListRows] = field(default_factory=dict)

    def find_list(self, filename: str) -> ListRows | None:
        """The list of that file, if it is held."""
        return self.by_filename.get(filename)


def parse_list(name: str, data: bytes, certain: bool = True) -> ListRows:
    """Read a list file by its name's ending (.csv, .xml, .geojson); raise ListRefused with the reason."""
    readers = {".csv": _csv_rows, ".xml": _xml_rows, ".geojson": _geojson_rows}
    reader = readers.get(PurePath(name).suffix.lower())
    if reader is None:
        raise ListRefused("list_file_kind", name=name)
    rows, tree = reader(name, data)
    return ListRows(name, tuple(rows), certain, tree)


def find_tree(root: etree._Element) -> Branch | None:
    """The whole of an instance that is more than rows named item with columns of text; None where it is not."""
    plain = {local_name(row) for row in root} <= {"item"} and not any(map(_is_irregular_row, root))
    return None if plain and not root.attrib and (len(root) or not text_of(root)) else _read_branch(root)


def _is_irregular_row(row: etree._Element) -> bool:
    names = {local_name(cell) for cell in row}
    deep = any(len(cell) or cell.attrib for cell in row)
    return bool(row.attrib) or deep or len(names) < len(row) or (not len(row) and bool(text_of(row)))


def _read_branch(element: etree._Element) -> Branch:
    attributes = [(without_namespace(name), value.strip()) for name, value in attributes_of(element).items()]
    # Of an element with others in it, JavaRosa ignores the text between them.
    text = "" if len(element) else text_of(element)
    return Branch(local_name(element), text, tuple(attributes), tuple(map(_read_branch, element)))


def _text(name: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ListRefused("list_not_utf8", name=name) from None


def _csv_rows(name: str, data: bytes) -> tuple[Rows, None]:
    lines = _text(name, data).splitlines(keepends=True)
    header = lines[0] if lines else ""
    # French spreadsheets write semicolons.
    reader = csv.reader(lines, delimiter=";" if header.count(";") > header.count(",") else ",", strict=True)
    try:
        return _named_rows(name, list(reader)), None
    except csv.Error:
        raise ListRefused("list_malformed", name=name) from None


def _named_rows(name: str, rows: list[list[str]]) -> Rows:
    columns = [column.strip() for column in rows[0]] if rows else []
    if not any(columns) or len(set(columns)) < len(columns):
        raise ListRefused("list_header", name=name)
    return [dict(zip(columns, row, strict=False)) for row in rows[1:] if any(row)]


def _xml_rows(name: str, data: bytes) -> tuple[Rows, Branch | None]:
    try:
        root = parse_xml(data, FORM_LIMITS)
    except XmlRefused:
        raise ListRefused("list_malformed", name=name) from None
    return [{local_name(one): text_of(one) for one in item} for item in root], find_tree(root)


def _geojson_rows(name: str, data: bytes) -> tuple[Rows, None]:
    try:
        features = json.loads(_text(name, data))["features"]
        return [_feature_row(feature) for feature in features], None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        raise ListRefused("list_malformed", name=name) from None


def _feature_row(feature: dict[str, Any]) -> dict[str, str]:
    """A feature as JavaRosa shows it: its properties, its id, and its geometry in ODK's notation."""
    row = {key: _plain(value) for key, value in (feature.get("properties") or {}).items()}
    if "id" in feature:
        row["id"] = _plain(feature["id"])
    return {**row, "geometry": "; ".join(f"{one[1]} {one[0]} 0 0" for one in _points(feature["geometry"]))}


def _points(geometry: dict[str, Any]) -> list[list[float]]:
    coordinates, shape = geometry["coordinates"], geometry["type"]
    if shape == "Point":
        return [coordinates]
    # Of a polygon, the outer ring: ODK's shapes have no holes.
    return list({"LineString": coordinates, "Polygon": coordinates[0]}[shape])


def _plain(value: object) -> str:
    return "" if value is None else str(value)
