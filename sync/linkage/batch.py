"""Every pair of a registry weighed at once: Splink runs the same model. One new record is weighed by score.py.

What goes in are two Parquet files, which an engine reads wherever it runs: DuckDB here, Spark in spark.py.
"""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from splink import DuckDBAPI, Linker

from sync.linkage.blocking import find_keys
from sync.linkage.features import FREQUENCIES, Features
from sync.linkage.judging import JUDGED, Judgement, judge_levels
from sync.linkage.model import LinkModel
from sync.linkage.record import LinkRecord
from sync.linkage.sql import COLUMNS, render_levels, render_weights

Weighed = tuple[int, int, float]

RECORDS, KEYS = "records.parquet", "keys.parquet"
# Where a model freezes none, the keys that more than 100 share bring together 500 million pairs of a million invented
# records, the others 22. They hold one in 200 of those that weigh enough to change a link, one in 20 of those that
# people would be asked about. Fewer records can afford more: up to 200,000 all that a model learnt from them looks up.
_FEWEST_COMMON, _SHARED_BUDGET = 100, 100_000_000
_WRITTEN_AT_ONCE, _READ_AT_ONCE = 20_000, 100_000
_MEMORY = "3GB"
# Sums of the same numbers in another order may differ by so much, and more.
_ROUNDING = 1e-6
_YEARS = ("birth_year", "birth_spread", "band_from", "band_to")
_NUMBERS = {"record_id": pa.int64(), **dict.fromkeys(_YEARS, pa.int32())}
_RECORD_SCHEMA = pa.schema(
    [(name, pa.float64() if name.startswith("tf_") else _NUMBERS.get(name, pa.string())) for name in Features._fields]
)
_PAIR_SCHEMA = pa.schema([("join_key_l", pa.int64()), ("join_key_r", pa.int64()), ("bits", pa.float64())])
_KEY_SCHEMA = pa.schema([("record_id", pa.int64()), ("hash", pa.int64()), ("year", pa.int32()), ("spread", pa.int32())])

# It tells every step at length, and warns of levels that are as they should be.
logging.getLogger("splink").setLevel(logging.ERROR)


def find_most_common(records: int) -> int:
    """How many records may share a key that is used, in a registry of so many."""
    return max(_FEWEST_COMMON, _SHARED_BUDGET // max(1, records))


def count_left_out(folder: Path, records: int) -> int:
    """How many keys of what write_input left there are not looked up, whatever the model says of them.

    One record is looked for by all its keys when it comes: what two records share by such a key alone, a run misses.
    """
    shared = f"SELECT hash FROM read_parquet($file) GROUP BY hash HAVING count(*) > {find_most_common(records)}"
    with _connect(folder) as connection:
        counted = connection.execute(f"SELECT count(*) FROM ({shared})", {"file": str(folder / KEYS)})
        return int(counted.fetchall()[0][0])


def render_pairs(records: int) -> str:
    """A query over the table or view `link_keys`, in words that both engines know: pairs that a usable key brings."""
    return f"""
        WITH shared AS (
            SELECT * FROM link_keys WHERE hash IN (
                SELECT hash FROM link_keys GROUP BY hash HAVING count(*) BETWEEN 2 AND {find_most_common(records)}
            )
        )
        SELECT DISTINCT '0' AS match_key, one.record_id AS join_key_l, other.record_id AS join_key_r
        FROM shared AS one JOIN shared AS other ON one.hash = other.hash
        WHERE one.record_id < other.record_id AND abs(one.year - other.year) <= greatest(one.spread, other.spread)
    """


def _render_likely(model: LinkModel, records: int) -> str:
    """A query over the table `link_met`: those of its pairs that weigh enough, by the same levels in fewer steps.

    Splink asks for each of a comparison's up to 126 cells in turn, which takes twice as long and twice the memory.
    Nineteen of twenty pairs need it not.
    """
    return f"""
        SELECT '0' AS match_key, record_id_l AS join_key_l, record_id_r AS join_key_r
        FROM ({render_weights(model, records, _render_both("link_met"))}) WHERE bits >= {model.review_at - _ROUNDING}
    """


def _render_both(pairs: str) -> str:
    """The pairs of a table with what `link_records` says of both sides, as sql.py takes them."""
    sides = {"l": "one", "r": "other"}
    columns = ", ".join(f"{table}.{name} AS {name}_{side}" for side, table in sides.items() for name in COLUMNS)
    return f"""(
        SELECT {pairs}.*, {columns} FROM {pairs}
        JOIN link_records AS one ON one.record_id = join_key_l
        JOIN link_records AS other ON other.record_id = join_key_r
    )"""


def write_input(folder: Path, model: LinkModel, records: Iterable[LinkRecord]) -> list[str]:
    """Clean the records and write them with their keys, some at a time, under numbers from 0; return their ids."""
    ids: list[str] = []
    coming = iter(records)
    with (
        pq.ParquetWriter(folder / RECORDS, _RECORD_SCHEMA) as kept_records,
        pq.ParquetWriter(folder / KEYS, _KEY_SCHEMA) as kept_keys,
    ):
        while cleaned := [model.cleaner.clean(one) for one in islice(coming, _WRITTEN_AT_ONCE)]:
            numbered = list(enumerate(cleaned, len(ids)))
            keys = [(number, *key) for number, one in numbered for key in find_keys(one, model.too_common)]
            kept_records.write_table(_table(_RECORD_SCHEMA, [(number, *one[1:]) for number, one in numbered]))
            kept_keys.write_table(_table(_KEY_SCHEMA, keys))
            ids += [one.record_id for one in cleaned]
    return ids


def weigh_with_duckdb(folder: Path, model: LinkModel, records: int) -> Iterator[Weighed]:
    """The pairs of what write_input left there, smaller number first, with their weights from the review floor on."""
    if not records:
        return
    with _connect(folder) as connection:
        connection.execute("SET preserve_insertion_order = false")
        for name, file in (("link_records", RECORDS), ("link_keys", KEYS)):
            connection.execute(f"CREATE TABLE {name} AS FROM read_parquet($file)", {"file": str(folder / file)})
        # In steps, so that no two of them hold their rows in memory at once.
        connection.execute(f"CREATE TABLE link_met AS {render_pairs(records)}; DROP TABLE link_keys")
        connection.execute(f"CREATE TABLE link_pairs AS {_render_likely(model, records)}; DROP TABLE link_met")
        weighed = predict(DuckDBAPI(connection), connection.execute, model, records, model.review_at).physical_name
        rows = connection.sql(f"SELECT record_id_l, record_id_r, match_weight FROM {weighed}")
        yield from list_rows(rows.to_arrow_reader(_READ_AT_ONCE))


def judge_weighed(folder: Path, weighed: Iterable[Weighed]) -> Iterator[tuple[Weighed, Judgement]]:
    """What the pairs of what write_input left there say beside their weight, in any order."""
    with _connect(folder) as connection:
        connection.register("link_records", connection.read_parquet(str(folder / RECORDS)))
        connection.register("link_weighed", _table(_PAIR_SCHEMA, list(weighed)))
        rows = connection.sql(render_levels(JUDGED, _render_both("link_weighed")))
        for one, other, bits, *found in list_rows(rows.to_arrow_reader(_READ_AT_ONCE)):
            yield (one, other, bits), judge_levels(*found)


def read_features(folder: Path, ids: Mapping[int, str]) -> dict[str, Features]:
    """These records of what write_input left there, given their ids by their numbers."""
    found = pq.read_table(folder / RECORDS, filters=[("record_id", "in", list(ids))])
    return {ids[row["record_id"]]: Features(**row | {"record_id": ids[row["record_id"]]}) for row in found.to_pylist()}


def predict(api: Any, run: Callable[[str], Any], model: LinkModel, records: int, floor: float | None) -> Any:
    """Splink's table of the pairs in `link_pairs`, weighed by what `link_records` says of both; `run` runs SQL."""
    plain = ", ".join(name for name in Features._fields if not name.startswith("tf_"))
    run(f"CREATE OR REPLACE TEMPORARY VIEW link_input AS SELECT {plain} FROM link_records")
    given = api.register("link_input", dataset_display_name="weighed_records")
    linker = Linker(given, _make_settings(model, records), log_level=None)
    for name in FREQUENCIES:
        # They are the model's: Splink must not count its own.
        columns = f"{name}, tf_{name} FROM link_records WHERE {name} IS NOT NULL"
        run(f"CREATE OR REPLACE TEMPORARY VIEW link_tf_{name} AS SELECT DISTINCT {columns}")
        known = api.register(f"link_tf_{name}", dataset_display_name=f"frequencies_{name}")
        linker.table_management.register_term_frequency_lookup(known, name)
    pairs = api.register("link_pairs", dataset_display_name="weighed_pairs")
    linker.table_management.register_blocked_pairs_for_predict(pairs)
    return linker.inference.predict(threshold_match_weight=floor, warning_mode="never")


def list_rows(batches: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    """The rows of Arrow's batches of columns."""
    for one in batches:
        yield from zip(*(column.to_pylist() for column in one.columns), strict=True)


def _connect(folder: Path) -> duckdb.DuckDBPyConnection:
    """A database of this moment; what does not fit into memory is put down in the folder."""
    connection = duckdb.connect(config={"memory_limit": _MEMORY, "temp_directory": str(folder)})
    return connection.execute("SET enable_progress_bar = false")


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
    # zip(*rows) would make an iterator for each row, which takes Python's collector ten times as long as all the rest.
    columns = [pa.array([row[place] for row in rows], one.type) for place, one in enumerate(schema)]
    return pa.table(columns, schema=schema)
