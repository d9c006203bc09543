"""The cells that are kept of each row, ready for CSV, and the layouts that say of which columns they are.

Form versions differ in their columns, and an export has those of the newest. Cells of a layout that does not fit are
left alone: the answers, which are kept as well, are written anew.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, cast

import orjson
from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from forms.cells import POINT, CellReader, write_cell
from forms.definition import FormDefinition
from forms.tables import Column, Table, list_tables
from sync.models import AnswerLayout

# No answer has it: XML 1.0 (2.2) allows no such character, however it is written.
_SEPARATOR = "\x1f"
_DERIVED = "layouts"
# Another number whenever cells are written otherwise: those that were kept before then fit no longer.
_WRITING = 1
# What decides how a value is written; all other types are written alike.
_PARTS: dict[str, tuple[str, ...]] = {"geopoint": POINT, "dateTime": ("dateTime",)}
_ADD = {
    "sqlite": insert_sqlite(AnswerLayout).on_conflict_do_nothing(),
    "postgresql": insert_postgresql(AnswerLayout).on_conflict_do_nothing(),
}
Pick = Callable[[bytes], list[str]]


@dataclass(frozen=True, slots=True)
class Layout:
    """The cells of a table's rows in one form version, by the names that they have here."""

    id: int
    form_id: str
    table_name: str
    cells: list[str]
    reader: CellReader

    def write(self, answers: dict[str, Any]) -> bytes:
        """The cells of a row as they are kept."""
        return _SEPARATOR.join(map(write_cell, self.reader.read(answers))).encode()


def list_layouts(definition: FormDefinition) -> dict[str, Layout]:
    """The layouts of a form version by table, made once."""
    if _DERIVED not in definition.derived:
        tables = list_tables(definition)
        definition.derived[_DERIVED] = {name: _make_layout(definition.form_id, table) for name, table in tables.items()}
    return cast(dict[str, Layout], definition.derived[_DERIVED])


def add_layouts(connection: Connection, layouts: Iterable[Layout]) -> None:
    """Note the layouts of cells that are about to be kept; most are known."""
    # In one order, for on PostgreSQL whoever adds the same ones waits: two must not wait for each other.
    found = sorted({one.id: one for one in layouts}.items())
    rows = [
        {"id": number, "form_id": one.form_id, "table_name": one.table_name, "cells": one.cells}
        for number, one in found
    ]
    if rows:
        connection.execute(_ADD[connection.dialect.name], rows)


def find_picks(session: Session, form_id: str, table_name: str, columns: Sequence[Column]) -> dict[int, Pick]:
    """How to take the cells of these columns out of kept ones, for each layout that fits."""
    wanted = _name_cells(columns)
    query = select(AnswerLayout.id, AnswerLayout.cells).filter_by(form_id=form_id, table_name=table_name)
    return {
        number: _make_pick(kept, wanted)
        for number, kept in session.execute(query)
        if number == _make_number(form_id, table_name, kept) and _fits(kept, wanted)
    }


def _make_layout(form_id: str, table: Table) -> Layout:
    cells = _name_cells(table.columns)
    return Layout(_make_number(form_id, table.name, cells), form_id, table.name, cells, CellReader(table.columns))


def _make_number(form_id: str, table_name: str, cells: Sequence[str]) -> int:
    """63 bits made of all that matters, so that whoever writes a row need not ask for the number."""
    told = orjson.dumps([_WRITING, form_id, table_name, cells])
    return int.from_bytes(sha256(told).digest()[:8]) >> 1


def _name_cells(columns: Sequence[Column]) -> list[str]:
    return [f"{'/'.join(one.place)}:{part}" for one in columns for part in _PARTS.get(one.type, ("",))]


def _fits(kept: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether no column became another kind since: what that version did not ask is blank."""
    paths = {one.partition(":")[0] for one in kept}
    return not [one for one in set(wanted) - set(kept) if one.partition(":")[0] in paths]


def _make_pick(kept: Sequence[str], wanted: Sequence[str]) -> Pick:
    # The last place is that of a blank which is put behind.
    places = {name: at for at, name in enumerate(kept)}
    taken = [places.get(name, len(kept)) for name in wanted]

    def pick(cells: bytes) -> list[str]:
        found = f"{cells.decode()}{_SEPARATOR}".split(_SEPARATOR)
        return [found[at] for at in taken]

    return pick
