"""How a row of a table looks in CSV: Central's columns (those of Briefcase), groups joined by dashes."""

from collections.abc import Sequence
from itertools import chain, groupby
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
_NOWHERE: Line = [None] * len(_POINT)


class LineWriter:
    """The head and the lines of one table, for the columns that may be read."""

    def __init__(self, table: Table, columns: Sequence[Column], *, group_paths: bool = True) -> None:
        self.table, self.columns = table, columns
        self.names = [name for one in columns for name in _names(one, table, group_paths)]
        self.stretches = [
            ([one.place[-1] for one in found], place, is_point)
            for (place, is_point), found in groupby(columns, key=lambda one: (one.place[:-1], one.type == "geopoint"))
        ]
        kinds = [one.type for one in columns for _ in _names(one, table, group_paths)]
        self.moments = [at for at, kind in enumerate(kinds) if kind == "dateTime"]

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
        for names, place, is_point in self.stretches:
            level = find_value(answers, place)
            values = map(level.get if isinstance(level, dict) else _nothing, names)
            line += chain.from_iterable(map(_split_point, values)) if is_point else values
        for at in self.moments:
            if line[at] is not None:
                line[at] = convert(str(line[at]), "dateTime")
        return line


def _nothing(_name: str) -> None:
    """What a group without answers says."""


def _names(column: Column, table: Table, group_paths: bool) -> list[str]:
    steps = column.path.removeprefix(table.path).strip("/").split("/")
    name = "-".join(steps) if group_paths else steps[-1]
    return [f"{name}-{part}" for part in _POINT] if column.type == "geopoint" else [name]


def _split_point(value: Any) -> Line:
    if value is None:
        return _NOWHERE
    parts = [_read_number(part) for part in str(value).split()[:4]]
    return [*parts, *_NOWHERE[len(parts) :]]


def _read_number(text: str) -> object:
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text
