"""Spark weighs what DuckDB and Python weigh, on a cluster of processes of its own."""

from pathlib import Path

import pytest

from sync.linkage.batch import weigh_with_duckdb, write_input
from sync.linkage.model import default_model
from tests.sync.linkage.people import invent_records

MODEL = default_model()
# Two workers of one core, processes of their own.
CLUSTER = "local-cluster[2,1,1024]"


@pytest.mark.slow
def test_spark_and_duckdb_weigh_alike(tmp_path: Path) -> None:
    from sync.linkage.spark import weigh_with_spark

    records = invent_records(200, seed=8)
    count = len(write_input(tmp_path, MODEL, records))
    expected = {(one, other): bits for one, other, bits in weigh_with_duckdb(tmp_path, MODEL, count)}
    found = {(one, other): bits for one, other, bits in weigh_with_spark(tmp_path, MODEL, count, CLUSTER, {})}
    assert len(expected) > 100
    assert found == pytest.approx(expected, abs=1e-6)
