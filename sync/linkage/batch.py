"""Every pair of a registry weighed at once: Splink runs the same model. One new record is weighed by score.py.

What goes in are two Parquet files, which an engine reads wherever it runs: DuckDB here, Spark in spark.py.
"""

import json
import logging
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from splink import DuckDBAPI, Linker

from sync.linkage.blocking import find_keys
from sync.linkage.features import Features
from sync.linkage.model import LinkModel
from sync.linkage.record import LinkRecord

RECORDS, KEYS = "records.parquet", "keys.parquet"
# Of a million invented records keys shared by more bring together 500 million pairs instead of 22; they hold one in 200
# of those that weigh enough to change a link (7 bits or more), one in 20 of those that people would be asked about.
MOST_COMMON = 100
# Both engines know these words. A key that one record has alone brings nobody together.
RENDERED_PAIRS = f"""
    WITH shared AS (
        SELECT * FROM link_keys
        WHERE hash IN (SELECT hash FROM link_keys GROUP BY hash HAVING count(*) BETWEEN 2 AND {MOST_COMMON})
    )
    SELECT DISTINCT '0' AS match_key, one.record_id AS join_key_l, other.record_id AS join_key_r
    FROM shared AS one JOIN shared AS other ON one.hash = other.hash
    WHERE one.record_id < other.record_id AND abs(one.year - other.year) <= greatest(one.spread, other.spread)
"""
_WRITTEN_AT_ONCE, _READ_AT_ONCE = 20_000, 100_000
_MEMORY = "3GB"
_NUMBERS = {"birth_year": pa.int32(), "birth_spread": pa.int32()}
_RECORD_SCHEMA = pa.schema(
    [(name, pa.float64() if name.startswith("tf_") else _NUMBERS.get(name, pa.string())) for name in Features._fields]
)
_KEY_SCHEMA = pa.schema(
    [("record_id", pa.string()), ("hash", pa.int64()), ("year", pa.int32()), ("spread", pa.int32())]
)

# It tells every step at length, and warns of levels that are as they should be.
logging.getLogger("splink").setLevel(logging.ERROR)


def write_input(folder: Path, model: LinkModel, records: Iterable[LinkRecord]) -> int:
    """Clean the records and write them with their keys, some at a time; return how many they were."""
    count, coming = 0, iter(records)
    with (
        pq.ParquetWriter(folder / RECORDS, _RECORD_SCHEMA) as kept_records,
        pq.ParquetWriter(folder / KEYS, _KEY_SCHEMA) as kept_keys,
    ):
        while cleaned := [model.cleaner.clean(one) for one in islice(coming, _WRITTEN_AT_ONCE)]:
            keys = [(one.record_id, *key) for one in cleaned for key in find_keys(one, model.too_common)]
            kept_records.write_table(_table(_RECORD_SCHEMA, cleaned))
            kept_keys.write_table(_table(_KEY_SCHEMA, keys))
            count += len(cleaned)
    return count


def weigh_with_duckdb(folder: Path, model: LinkModel, records: int) -> Iterator[tuple[str, str, float]]:
    """The pairs of what write_input left there, smaller id first, with their weights from the review floor on.

    What does not fit into memory is put down in the same folder.
    """
    with duckdb.connect(config={"memory_limit": _MEMORY, "temp_directory": str(folder)}) as connection:
        connection.execute("SET preserve_insertion_order = false")
        for name, file in (("link_records", RECORDS), ("link_keys", KEYS)):
            connection.execute(f"CREATE TABLE {name} AS FROM read_parquet($file)", {"file": str(folder / file)})
        connection.execute(f"CREATE TABLE link_pairs AS {RENDERED_PAIRS}")
        weighed = predict(DuckDBAPI(connection), model, records).physical_name
        rows = connection.sql(f"SELECT record_id_l, record_id_r, match_weight FROM {weighed}")
        yield from list_rows(rows.to_arrow_reader(_READ_AT_ONCE))


def predict(api: Any, model: LinkModel, records: int) -> Any:
    """Splink's table of the pairs in `link_pairs`, weighed by what `link_records` says of both."""
    weighed = api.register("link_records", dataset_display_name="weighed_records")
    linker = Linker(weighed, _make_settings(model, records), log_level=None)
    pairs = api.register("link_pairs", dataset_display_name="weighed_pairs")
    linker.table_management.register_blocked_pairs_for_predict(pairs)
    return linker.inference.predict(threshold_match_weight=model.review_at, warning_mode="never")


def list_rows(batches: Iterable[Any]) -> Iterator[tuple[str, str, float]]:
    """The rows of Arrow's batches of columns."""
    for one in batches:
        yield from zip(*(column.to_pylist() for column in one.columns), strict=True)


def _make_settings(model: LinkModel, records: int) -> dict[str, Any]:
    """The model as Splink takes it, for a registry of so many records."""
    settings: dict[str, Any] = json.loads(model.to_json())
    del settings["teral"]
    return settings | {
        "probability_two_random_records_match": model.prior(records),
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
    }


def _table(schema: Any, rows: list[Any]) -> Any:
    columns = zip(*rows, strict=True) if rows else [[]] * len(schema)
    return pa.table([pa.array(values, one.type) for values, one in zip(columns, schema, strict=True)], schema=schema)
