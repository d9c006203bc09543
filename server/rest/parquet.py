"""The record's table as Parquet: typed columns, a group of rows at a time, written into a stream."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from forms.tables import Column, find_value
from server.rest.sink import Sink
from sync.policy import Viewer
from sync.records import Page, Record, read_records

_TYPES = {"int": pa.int64(), "decimal": pa.float64()}
_SYSTEM = {
    "KEY": pa.string(), "SubmissionDate": pa.timestamp("ms", "UTC"), "ReviewState": pa.string(), "Edits": pa.int64(),
    "FormVersion": pa.string(),
}  # fmt: skip
_ROWS = 20_000


def write_parquet(
    engine: Engine, viewer: Viewer, form_id: str, columns: Sequence[Column], page: Page
) -> Iterator[bytes]:
    """The records that fit; what is not of its column's type is blank there."""
    sink = Sink()
    kinds = {"/".join(one.place): _TYPES.get(one.type, pa.string()) for one in columns}
    schema = pa.schema([*_SYSTEM.items(), *kinds.items()])
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer, Session(engine) as session:
        yield sink.take()
        waiting: list[pa.RecordBatch] = []
        for records in read_records(session, viewer, form_id, page):
            # Columns at once: a group of rows is larger than what should be held as objects.
            waiting.append(_make_batch(records, columns, schema))
            if sum(one.num_rows for one in waiting) >= _ROWS:
                yield _write_group(writer, waiting, sink)
                waiting.clear()
        if waiting:
            yield _write_group(writer, waiting, sink)
    yield sink.take()


def _write_group(writer: pq.ParquetWriter, batches: Sequence[pa.RecordBatch], sink: Sink) -> bytes:
    writer.write_table(pa.Table.from_batches(batches))
    return sink.take()


def _make_batch(records: Sequence[Record], columns: Sequence[Column], schema: pa.Schema) -> pa.RecordBatch:
    system = [
        [one.instance_id for one in records],
        [one.submitted_at for one in records],
        [one.review_state for one in records],
        [one.edits for one in records],
        [one.form_version for one in records],
    ]
    answers = [one.read_answers() for one in records]
    said = [[_fit(find_value(one, column.place), column.type) for one in answers] for column in columns]
    arrays = [pa.array(values, kind) for values, kind in zip([*system, *said], schema.types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _fit(value: Any, kind: str) -> Any:
    if kind == "int":
        return value if isinstance(value, int) and abs(value) < 2**63 else None
    if kind == "decimal":
        return float(value) if isinstance(value, int | float) else None
    return None if value is None else str(value)
