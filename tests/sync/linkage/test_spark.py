"""Spark weighs what DuckDB and Python weigh, on a cluster of processes of its own."""

from pathlib import Path

import pytest

from benchmarks.regional.recording import make_records
from sync.linkage.batch import weigh_with_duckdb, write_input
from sync.linkage.model import default_model
from sync.linkage.record import parse_record

MODEL = default_model()


@pytest.mark.slow
@pytest.mark.parametrize("master", ["local[2]", "local-cluster[2,1,1024]"])
def test_spark_and_duckdb_weigh_alike(tmp_path: Path, master: str) -> None:
    from sync.linkage.spark import weigh_with_spark

    records = [parse_record(row) for row in make_records(300, seed=8)[0]]
    count = len(write_input(tmp_path, MODEL, records))
    expected = {(one, other): bits for one, other, bits in weigh_with_duckdb(tmp_path, MODEL, count)}
    found = {(one, other): bits for one, other, bits in weigh_with_spark(tmp_path, MODEL, count, master, {})}
    assert len(expected) > 200
    assert found == pytest.approx(expected, abs=1e-6)
