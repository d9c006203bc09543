"""A table as Parquet: CSV's columns with the form's types, a group of rows at a time, written into a stream.

Whoever reads it must find all that was said: what is not of its column's type stands as it was written in the last
column, as JSON by the name that OData has for it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import MAXYEAR, MINYEAR
from functools import partial
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from forms.cells import POINT, name_cells
from forms.tables import Column, Table, find_value, read_value
from forms.values import BadValueError, parse_datetime, parse_geopoint
from server.rest.csv_rows import KEYS, RECORD, Line, list_facts, list_keys
from server.rest.sink import Sink
from sync.answers import odata_path
from sync.records import Record, RepeatRow

AS_WRITTEN = "AsWritten"
_TEXT, _WHOLE, _DECIMAL = pa.string(), pa.int64(), pa.float64()
_TYPES = {
    "int": _WHOLE, "decimal": _DECIMAL, "date": pa.date32(), "dateTime": pa.timestamp("us", "UTC"),
    "boolean": pa.bool_(), "geopoint": _DECIMAL,
}  # fmt: skip
_FACTS = {
    "SubmissionDate": pa.timestamp("ms", "UTC"), "SubmitterID": _WHOLE, "AttachmentsPresent": _WHOLE,
    "AttachmentsExpected": _WHOLE, "Edits": _WHOLE,
}  # fmt: skip
# What Arrow does not read as it stands: another version of the form may have asked for another type, and a moment
# without a zone is Senegal's here as everywhere.
_READ: dict[str, Callable[[str], Any]] = {
    "int": partial(read_value, kind="int"), "decimal": partial(read_value, kind="decimal"), "dateTime": parse_datetime,
}  # fmt: skip
_ROWS = 20_000

Row = tuple[Line, dict[str, Any]]
Unread = list[str | None]


class TypedWriter:
    """Writes the rows of one table, for the columns that may be read."""

    def __init__(self, table: Table, columns: Sequence[Column], *, group_paths: bool = True) -> None:
        self._columns = columns
        facts = KEYS if table.name else ("SubmissionDate", *RECORD)
        self._facts = len(facts)
        cells = [(name, one.type) for one in columns for name in name_cells(one, table, group_paths=group_paths)]
        names = _tell_apart([*facts, *(name for name, _ in cells), AS_WRITTEN])
        types = [*(_FACTS.get(name, _TEXT) for name in facts), *(_TYPES.get(kind, _TEXT) for _, kind in cells), _TEXT]
        self._schema = pa.schema(list(zip(names, types, strict=True)))

    def write_record(self, one: Record) -> Row:
        return [one.submitted_at, *list_facts(one)], one.read_answers()

    def write_repeat(self, one: RepeatRow, instance_id: str, parent_key: str) -> Row:
        return list_keys(one, instance_id, parent_key), one.read_answers()

    def write(self, chunks: Iterable[Iterable[Row]]) -> Iterator[bytes]:
        """The file, its first bytes at once."""
        sink = Sink()
        with pq.ParquetWriter(sink, self._schema, compression="zstd") as writer:
            yield sink.take()
            waiting: list[pa.RecordBatch] = []
            for rows in chunks:
                # Columns at once: a group of rows is larger than what should be held as objects.
                waiting.append(self._make_batch(list(rows)))
                if sum(one.num_rows for one in waiting) >= _ROWS:
                    yield _write_group(writer, waiting, sink)
                    waiting.clear()
            if waiting:
                yield _write_group(writer, waiting, sink)
        yield sink.take()

    def _make_batch(self, rows: Sequence[Row]) -> pa.RecordBatch:
        kinds = self._schema.types[: self._facts]
        arrays = [pa.array([facts[at] for facts, _ in rows], kind) for at, kind in enumerate(kinds)]
        told: list[dict[str, str]] = [{} for _ in rows]
        for column in self._columns:
            made, unread = _read_column([find_value(answers, column.place) for _, answers in rows], column.type)
            arrays += made
            for at, text in enumerate(unread):
                if text is not None:
                    told[at][odata_path(column)] = text
        as_written = pa.array([orjson.dumps(one).decode() if one else None for one in told], _TEXT)
        return pa.RecordBatch.from_arrays([*arrays, as_written], schema=self._schema)


def _tell_apart(names: Iterable[str]) -> list[str]:
    """Many readers take names that differ in capitals alone for one, and refuse a table that has a name twice."""
    count = Counter[str]()
    found = []
    for name in names:
        count[name.lower()] += 1
        found.append(f"{name}~{count[name.lower()]}" if count[name.lower()] > 1 else name)
    return found


def _write_group(writer: pq.ParquetWriter, batches: Sequence[pa.RecordBatch], sink: Sink) -> bytes:
    writer.write_table(pa.Table.from_batches(batches))
    return sink.take()


def _read_column(values: Sequence[Any], kind: str) -> tuple[list[pa.Array], Unread]:
    """The cells of a column, and of each row what did not fit into them."""
    if kind == "geopoint":
        return _read_points(values)
    array, unread = _read_values(values, kind)
    return [array], unread


def _read_points(values: Sequence[Any]) -> tuple[list[pa.Array], Unread]:
    points, unread = list[Sequence[float | None]](), Unread()
    for value in values:
        point = None if value is None else _read_point(str(value))
        points.append(point or [None] * len(POINT))
        unread.append(str(value) if value is not None and point is None else None)
    return [pa.array([point[at] for point in points], _DECIMAL) for at in range(len(POINT))], unread


def _read_point(text: str) -> list[float | None] | None:
    try:
        point = parse_geopoint(text)
    except BadValueError:
        return None
    numbers = point.latitude, point.longitude, point.altitude, point.accuracy
    return [None if one is None else float(one) for one in numbers]


def _read_values(values: Sequence[Any], kind: str) -> tuple[pa.Array, Unread]:
    """All together, as nearly always can be done; else by halves, until what does not fit stands alone."""
    try:
        return _convert(values, kind), [None] * len(values)
    except pa.ArrowException:
        if len(values) == 1:
            return _read_alone(str(values[0]), kind)
    middle = len(values) // 2
    (first, unread), (second, more) = _read_values(values[:middle], kind), _read_values(values[middle:], kind)
    return pa.concat_arrays([first, second]), unread + more


def _convert(values: Sequence[Any], kind: str) -> pa.Array:
    wanted = _TYPES.get(kind, _TEXT)
    if kind in ("int", "decimal"):
        return pa.array(values, wanted)
    return _check_years(pa.array(values, _TEXT).cast(wanted))


def _check_years(array: pa.Array) -> pa.Array:
    """Arrow reads years that Python and others cannot hold, and one of them would spoil the table for these."""
    if pa.types.is_temporal(array.type):
        years = pc.min_max(pc.year(array)).as_py()
        if years["min"] is not None and not MINYEAR <= years["min"] <= years["max"] <= MAXYEAR:
            raise pa.ArrowInvalid("a year that few can hold")
    return array


def _read_alone(text: str, kind: str) -> tuple[pa.Array, Unread]:
    wanted = _TYPES.get(kind, _TEXT)
    try:
        return _check_years(pa.array([_READ.get(kind, str)(text)], wanted)), [None]
    except (BadValueError, pa.ArrowException):
        return pa.nulls(1, wanted), [text]
