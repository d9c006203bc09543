"""How a row of a table looks in CSV and in a workbook: Central's columns, groups joined by dashes."""

from collections.abc import Iterable, Mapping, Sequence

from forms.cells import CellReader, name_cells, write_cell
from forms.tables import Column, Table
from server.rest.shapes import write_moment
from sync.layouts import Pick
from sync.records import Answered, Record, RepeatRow

# What stands behind the answers of a record, and of a turn of a repeat.
RECORD = (
    "KEY", "SubmitterID", "SubmitterName", "AttachmentsPresent", "AttachmentsExpected", "Status", "ReviewState",
    "DeviceID", "Edits", "FormVersion",
)  # fmt: skip
KEYS = ("PARENT_KEY", "KEY")
Line = list[object]


class LineWriter:
    """The head and the lines of one table, for the columns that may be read: their cells as values."""

    def __init__(self, table: Table, columns: Sequence[Column], *, group_paths: bool = True) -> None:
        self.table = table
        self.names = [name for one in columns for name in name_cells(one, table, group_paths=group_paths)]
        self.reader = CellReader(columns)

    @property
    def head(self) -> Line:
        return [*self.names, *KEYS] if self.table.name else ["SubmissionDate", *self.names, *RECORD]

    def write_record(self, one: Record) -> Line:
        return [write_moment(one.submitted_at), *self.reader.read(one.read_answers()), *list_facts(one)]

    def write_repeat(self, one: RepeatRow, instance_id: str, parent_key: str) -> Line:
        return [*self.reader.read(one.read_answers()), *list_keys(one, instance_id, parent_key)]


class TextWriter:
    """Writes the same lines as CSV: most of their cells are kept as they stand there, in a layout of these."""

    def __init__(self, lines: LineWriter, picks: Mapping[int, Pick]) -> None:
        self._lines, self._picks = lines, picks

    @property
    def head(self) -> str:
        return ",".join(map(write_cell, self._lines.head))

    def write_record(self, one: Record) -> str:
        told = map(write_cell, list_facts(one))
        return ",".join([write_cell(write_moment(one.submitted_at)), *self._list_cells(one), *told])

    def write_repeat(self, one: RepeatRow, instance_id: str, parent_key: str) -> str:
        keys = map(write_cell, list_keys(one, instance_id, parent_key))
        return ",".join([*self._list_cells(one), *keys])

    def _list_cells(self, one: Answered) -> Iterable[str]:
        if one.layout_id is None:
            return map(write_cell, self._lines.reader.read(one.read_answers()))
        return self._picks[one.layout_id](one.kept or b"")


def list_facts(one: Record) -> Line:
    """What RECORD names."""
    return [
        one.instance_id, one.submitter_id, one.submitter_name, one.present, one.expected, one.status,
        one.review_state, one.device_id, one.edits, one.form_version,
    ]  # fmt: skip


def list_keys(one: RepeatRow, instance_id: str, parent_key: str) -> Line:
    """What KEYS names: what a turn of a repeat is in, and the turn itself."""
    return [f"{instance_id}/{parent_key}" if parent_key else instance_id, f"{instance_id}/{one.key}"]
