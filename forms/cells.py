"""A row of a table as cells of a spreadsheet: what they are called, what stands in them, and how CSV writes that.

Columns are those of ODK Central (and Briefcase): a place takes four. In CSV nothing that came from outside can act as a
formula.
"""

import re
from collections.abc import Sequence
from itertools import chain, groupby
from typing import Any

from forms.tables import Column, Table, find_value

POINT = ("Latitude", "Longitude", "Altitude", "Accuracy")
_NOWHERE: list[object] = [None] * len(POINT)
# What makes a spreadsheet calculate; some skip blanks and a byte order mark before it.
_ACTIVE = ("=", "+", "-", "@", "\t", "\r")
_SKIPPED = " \ufeff\n"
_SUSPECT = frozenset(_ACTIVE) | frozenset(_SKIPPED)
_SPECIAL = re.compile('[",\r\n]')
_SHORT_ZONE, _SIGNS = re.compile(r"[+-]\d\d$"), ("+", "-")


def name_cells(column: Column, table: Table, *, group_paths: bool = True) -> list[str]:
    """What the cells of a column are called, with the groups around it unless they are not wanted."""
    steps = column.path.removeprefix(table.path).strip("/").split("/")
    name = "-".join(steps) if group_paths else steps[-1]
    return [f"{name}-{part}" for part in POINT] if column.type == "geopoint" else [name]


class CellReader:
    """Reads the cells of these columns out of the answers of a row, in the columns' order and with their types."""

    def __init__(self, columns: Sequence[Column]) -> None:
        # Neighbours in one group are read together: most columns are.
        self._stretches = [
            ([one.place[-1] for one in found], place, is_point)
            for (place, is_point), found in groupby(columns, key=lambda one: (one.place[:-1], one.type == "geopoint"))
        ]
        kinds = chain.from_iterable([one.type] * count_cells(one) for one in columns)
        self._moments = [at for at, kind in enumerate(kinds) if kind == "dateTime"]

    def read(self, answers: dict[str, Any]) -> list[object]:
        """The cells, None where nothing was answered; never fails, whatever the answers are."""
        line: list[object] = []
        for names, place, is_point in self._stretches:
            level = find_value(answers, place)
            values = map(level.get if isinstance(level, dict) else _nothing, names)
            line += chain.from_iterable(map(_split_point, values)) if is_point else values
        for at in self._moments:
            if line[at] is not None:
                line[at] = complete_zone(str(line[at]))
        return line


def count_cells(column: Column) -> int:
    """How many cells a column takes."""
    return len(POINT) if column.type == "geopoint" else 1


def write_cell(value: object) -> str:
    """A cell in CSV (RFC 4180): quoted where it must be, blank where there is nothing, and never a formula."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    text = str(defuse(value))
    return '"' + text.replace('"', '""') + '"' if _SPECIAL.search(text) else text


def defuse(value: object) -> object:
    """Put an apostrophe before a text that a spreadsheet would calculate."""
    # Nearly all texts begin with a letter, and an export has millions of them.
    if not isinstance(value, str) or value[:1] not in _SUSPECT:
        return value
    return "'" + value if value.lstrip(_SKIPPED).startswith(_ACTIVE) else value


def complete_zone(text: str) -> str:
    """A moment with its zone in full: some clients write +07, which most readers refuse."""
    return f"{text}:00" if text[-3:-2] in _SIGNS and _SHORT_ZONE.search(text) and "T" in text else text


def _nothing(_name: str) -> None:
    """What a group without answers says."""


def _split_point(value: Any) -> list[object]:
    if value is None:
        return _NOWHERE
    parts = [_read_number(part) for part in str(value).split()[:4]]
    return [*parts, *_NOWHERE[len(parts) :]]


def _read_number(text: str) -> object:
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text
