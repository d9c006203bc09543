"""How a row of a table looks in CSV: Central's columns (those of Briefcase), groups joined by dashes."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from forms.tables import Column, Table
from server.rest.odata_rows import convert
from server.rest.shapes import write_moment
from sync.answers import find_value
from sync.records import Record, RepeatRow

_POINT = ("Latitude", "Longitude", "Altitude", "Accuracy")
_RECORD = (
    "KEY", "SubmitterID", "SubmitterName", "AttachmentsPresent", "AttachmentsExpected", "Status", "ReviewState",
    "DeviceID", "Edits", "FormVersion",
)  # fmt: skip
Line = list[object]


class LineWriter:
    """The head and the lines of one table, for the columns that may be read."""

    def __init__(self, table: Table, columns: Sequence[Column], *, group_paths: bool = True) -> None:
        self.table, self.columns = table, columns
        self.names = [name for one in columns for name in _names(one, table, group_paths)]
        self.stretches = [
            (place, [one.place[-1] for one in found], cell)
            for (place, cell), found in groupby(columns, key=lambda one: (one.place[:-1], _cell(one.type)))
        ]

    @property
    def head(self) -> Line:
        return [*self.names, "PARENT_KEY", "KEY"] if self.table.name else ["SubmissionDate", *self.names, *_RECORD]

    def write_record(self, one: Record) -> Line:
        return [
            write_moment(one.submitted_at), *self._answers(one.answers), one.instance_id, one.submitter_id,
            one.submitter_name, one.present, one.expected, one.status, one.review_state, one.device_id, one.edits,
            one.form_version,
        ]  # fmt: skip

    def write_repeat(self, one: RepeatRow, instance_id: str, parent_key: str) -> Line:
        parent = f"{instance_id}/{parent_key}" if parent_key else instance_id
        return [*self._answers(one.answers), parent, f"{instance_id}/{one.key}"]

    def _answers(self, answers: dict[str, Any]) -> Line:
        """Neighbours in one group are read together: most columns are."""
        line: Line = []
        for place, names, cell in self.stretches:
            level = find_value(answers, place) if place else answers
            values = [level.get(name) for name in names] if isinstance(level, dict) else [None] * len(names)
            line += values if cell is None else [part for value in values for part in cell(value)]
        return line


def _names(column: Column, table: Table, group_paths: bool) -> list[str]:
    steps = column.path.removeprefix(table.path).strip("/").split("/")
    name = "-".join(steps) if group_paths else steps[-1]
    return [f"{name}-{part}" for part in _POINT] if column.type == "geopoint" else [name]


def _cell(kind: str) -> Callable[[Any], Line] | None:
    """What becomes of a value of this type; None where it stands as it is."""
    return {"geopoint": _split_point, "dateTime": _write_time}.get(kind)


def _write_time(value: Any) -> Line:
    return [None if value is None else convert(str(value), "dateTime")]


def _split_point(value: Any) -> Line:
    parts: list[object] = []
    for part in str(value or "").split()[:4]:
        try:
            parts.append(float(part))
        except ValueError:
            parts.append(part)
    return [*parts, *([None] * (4 - len(parts)))]
