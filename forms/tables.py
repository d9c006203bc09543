"""A form as flat tables, and a submission as their rows: one table for the record and one for each repeat.

Names are those of OData, as ODK Central makes them, so that scripts written for it find what they look for.
"""

import hashlib
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from forms.definition import Field, FormDefinition
from forms.submission import Answer, Submission, list_answers

DERIVED = "tables"
_STRUCTURAL = ("group", "repeat")
_FIRST, _OTHERS = re.compile(r"^([^A-Za-z_])"), re.compile(r"[^A-Za-z0-9_]+")
_INDEX = re.compile(r"\[\d+\]")
# How a number of this type is read, and how far it reaches: beyond 64 bits no table and no JSON holds a whole one.
_NUMBERS: dict[str, tuple[Callable[[str], float], float]] = {"int": (int, 2**63), "decimal": (float, math.inf)}


@dataclass(frozen=True, slots=True)
class TableField:
    """One field as `/v1/…/fields` lists it."""

    path: str
    name: str
    type: str
    binary: bool | None
    select_multiple: bool | None


@dataclass(frozen=True, slots=True)
class Column:
    """A leaf of a table: `place` are the groups around it and its own name, inside of the table."""

    path: str
    place: tuple[str, ...]
    type: str
    field: Field


@dataclass(slots=True)
class Table:
    """The record itself (name "") or a repeat, whose name is its path with dots."""

    name: str
    path: str
    parent: "Table | None"
    place: tuple[str, ...] = ()  # where the parent's rows hold it
    columns: list[Column] = field(default_factory=list)
    repeats: list["Table"] = field(default_factory=list)
    groups: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def odata_name(self) -> str:
        return f"Submissions.{self.name}" if self.name else "Submissions"


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row: `number` counts a record's rows in document order; `key` is its path with indexes ("" of the record)."""

    table: str
    number: int
    parent: int | None
    key: str
    values: dict[str, Any]


def odata_name(name: str) -> str:
    """A name as OData allows it."""
    return _OTHERS.sub("_", _FIRST.sub(r"_\1", name))


def list_fields(definition: FormDefinition, *, odata: bool = False) -> list[TableField]:
    """Every node below the root, groups and repeats too, in the form's order."""
    return [_describe(one, definition, odata) for one in _nodes(definition)]


def list_tables(definition: FormDefinition) -> dict[str, Table]:
    """The tables of a form by name, the record's first, parents before children; made once for a form version."""
    if DERIVED not in definition.derived:
        definition.derived[DERIVED] = _make_tables(definition)
    return cast(dict[str, Table], definition.derived[DERIVED])


def flatten(submission: Submission, definition: FormDefinition) -> list[TableRow]:
    """The rows that a submission fills, typed, without blank answers; the record's own row comes first."""
    maker = _RowMaker(definition)
    for answer in list_answers(submission, definition):
        maker.add(answer)
    return maker.rows


def _nodes(definition: FormDefinition) -> Iterator[Field]:
    return (one for one in definition.fields if one.path.count("/") > 1 and "@" not in one.path)


def _describe(one: Field, definition: FormDefinition, odata: bool) -> TableField:
    names = one.path.split("/")[2:]
    if odata:
        names = [odata_name(name) for name in names]
    binary, several = one.control == "upload" or one.type == "binary", one.control in ("select", "rank")
    kind = _type_of(one, definition)
    return TableField("/" + "/".join(names), names[-1], kind, binary or None, several or None)


def _type_of(one: Field, definition: FormDefinition) -> str:
    if one.kind == "repeat":
        return "repeat"
    return "structure" if _has_children(one, definition) else one.type


def _has_children(one: Field, definition: FormDefinition) -> bool:
    parents = definition.derived.get("parents")
    if parents is None:
        parents = {other.path.rpartition("/")[0] for other in definition.fields if "@" not in other.path}
        definition.derived["parents"] = parents
    return one.kind in _STRUCTURAL or one.path in cast(set[str], parents)


def _make_tables(definition: FormDefinition) -> dict[str, Table]:
    top = Table("", f"/{definition.root}", None)
    tables = {top.path: top}
    for one in _nodes(definition):
        around = _around(one.path, tables)
        place = tuple(odata_name(name) for name in one.path.removeprefix(around.path).strip("/").split("/"))
        if one.kind == "repeat":
            name = ".".join(odata_name(step) for step in one.path.split("/")[2:])
            tables[one.path] = Table(name, one.path, around, place)
            around.repeats.append(tables[one.path])
        elif _has_children(one, definition):
            around.groups.append(place)
        else:
            around.columns.append(Column(one.path, place, one.type, one))
    return {one.name: one for one in tables.values()}


def _around(path: str, tables: dict[str, Table]) -> Table:
    path = path.rpartition("/")[0]
    return tables[path] if path in tables else _around(path, tables)


class _RowMaker:
    """One submission being flattened: rows are opened as their repeats come up in document order."""

    def __init__(self, definition: FormDefinition) -> None:
        self.definition, self.root = definition, f"/{definition.root}"
        self.tables = {one.path: one for one in list_tables(definition).values()}
        self.rows = [TableRow("", 0, None, "", {})]
        self.open = {self.root: self.rows[0]}

    def add(self, answer: Answer) -> None:
        row, place = self.find(answer.path)
        # What stands where a group should is no answer: validation says so, and no column holds it.
        if not answer.text or answer.field is None or _has_children(answer.field, self.definition):
            return
        values = row.values
        for name in place[:-1]:
            values = values.setdefault(name, {})
        values[place[-1]] = read_value(answer.text, answer.field.type)

    def find(self, path: str) -> tuple[TableRow, list[str]]:
        """The row around a node, opened with those around it where it is not yet, and the node's place in it."""
        place = [_plain_name(path)]
        around = path.rpartition("/")[0]
        while around not in self.open and _plain(around) not in self.tables:
            place.insert(0, _plain_name(around))
            around = around.rpartition("/")[0]
        return self.open.get(around) or self.add_row(around), place

    def add_row(self, path: str) -> TableRow:
        parent, _place = self.find(path)
        key = path.removeprefix(self.root).strip("/")
        row = TableRow(self.tables[_plain(path)].name, len(self.rows), parent.number, key, {})
        self.rows.append(row)
        self.open[path] = row
        return row


def _plain(path: str) -> str:
    return _INDEX.sub("", path)


def _plain_name(path: str) -> str:
    return odata_name(path.rpartition("/")[2].partition("[")[0])


def row_id(instance_id: str, key: str) -> str:
    """The OData id of a row, as Central makes it: the record's own, or SHA-1 over it and each step to the repeat."""
    if not key:
        return instance_id
    parts = [f"Submissions#{instance_id}"]
    for step in key.split("/"):
        name, _, turn = step.partition("[")
        parts.append(f"{name}#{int(turn.rstrip(']')) - 1}" if turn else f"{name}#")
    return hashlib.sha1("%%".join(parts).encode(), usedforsecurity=False).hexdigest()


def parent_key(table: Table, key: str) -> str:
    """The key of the row around a turn of this table: its own without the steps that lead from there."""
    return key.rsplit("/", len(table.place))[0] if table.parent is not None and table.parent.name else ""


def find_value(values: dict[str, Any], place: Sequence[str]) -> Any:
    """The value at a place in nested groups, or None."""
    found: Any = values
    for name in place:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def read_value(text: str, kind: str) -> Any:
    """An answer in the type of its field; what cannot be read as such, or is no number of JSON's, stays the text."""
    if kind not in _NUMBERS:
        return text
    read, limit = _NUMBERS[kind]
    try:
        number = read(text)
    except ValueError:
        return text
    return number if -limit < number < limit else text
