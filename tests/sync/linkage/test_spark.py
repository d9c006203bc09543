"""Spark weighs what DuckDB and Python weigh, on a cluster of processes of its own."""

from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from sync.linkage.batch import weigh_with_duckdb, write_input
from sync.linkage.model import default_model
from tests.sync.linkage.one_by_one import weigh_one_by_one
from tests.sync.linkage.pairs import let_meet, list_pairs, mix_pairs
from tests.sync.linkage.people import invent_records

# All pairs are told, however light.
MODEL = replace(default_model(), review_at=-1000.0)
# Two workers of one core, processes of their own.
CLUSTER = "local-cluster[2,1,1024]"


@pytest.mark.slow
def test_spark_and_duckdb_weigh_alike(tmp_path: Path) -> None:
    from sync.linkage.spark import weigh_with_spark

    pairs = [*list_pairs(), *mix_pairs(500, seed=8)]
    count = len(write_input(tmp_path, MODEL, [*chain.from_iterable(pairs), *invent_records(200, seed=8)]))
    let_meet(tmp_path, len(pairs))
    expected, by_duckdb, by_spark = (
        {(one, other): bits for one, other, bits in weighed}
        for weighed in (
            weigh_one_by_one(tmp_path, MODEL, count),
            weigh_with_duckdb(tmp_path, MODEL, count),
            weigh_with_spark(tmp_path, MODEL, count, CLUSTER, {}),
        )
    )
    assert {(2 * place, 2 * place + 1) for place in range(len(pairs))} <= expected.keys()
    assert by_duckdb == pytest.approx(expected, abs=1e-6)
    assert by_spark == pytest.approx(expected, abs=1e-6)
