"""The same pair has the same weight in Python, in DuckDB by our own SQL, and in Splink by the same model file.

Whatever levels it reaches (pairs.py), and whichever of the two comes first. Spark: test_spark.py.
"""

import json

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from splink import DuckDBAPI, Linker

from sync.linkage.comparisons import COMPARISONS
from sync.linkage.features import Features
from sync.linkage.model import default_model
from sync.linkage.record import LinkRecord
from sync.linkage.score import Scorer
from sync.linkage.sql import render_weights
from tests.sync.linkage.pairs import PARTS, list_cells, list_pairs, mixtures

MODEL = default_model()


def weigh_in_duckdb(pairs: list[tuple[Features, Features]]) -> list[float]:
    columns = {
        f"{name}_{side}": [pair[end][place] for pair in pairs]
        for end, side in enumerate("lr")
        for place, name in enumerate(Features._fields)
    }
    with duckdb.connect() as connection:
        connection.register("pairs", pa.table(columns))
        rows = connection.execute(render_weights(MODEL, 600, "pairs")).fetchall()
    found = {(one, other): bits for one, other, bits in rows}
    return [found[one.record_id, other.record_id] for one, other in pairs]


def weigh_one_by_one(pairs: list[tuple[Features, Features]]) -> list[float]:
    scorer = Scorer(MODEL, 600)
    return [scorer.score(one, other) for one, other in pairs]


def clean(pairs: list[tuple[LinkRecord, LinkRecord]]) -> list[tuple[Features, Features]]:
    return [(MODEL.cleaner.clean(one), MODEL.cleaner.clean(other)) for one, other in pairs]


def test_the_pairs_of_this_test_reach_every_cell_that_there_can_be() -> None:
    """Who has no first given name has no second, and a second one that both bear is among the given names of both."""
    reached = set[tuple[str, int]]().union(*(list_cells(*pair) for pair in clean(list_pairs())))
    every = {(one.name, cell) for one in COMPARISONS for cell in range(one.size)}
    levels = {(part.name, level) for part in PARTS for level in range(len(part.levels))}
    given = next(one for one in COMPARISONS if one.name == "given")
    never = [dict(given.describe_cell(cell)) for name, cell in every - reached if name == "given"]
    assert sorted((one["first given name"], one["second given name"]) for one in never) == [
        ("a slip apart", "the same"), ("crossed with the family name", "the same"), ("different", "the same"),
        ("not known", "different"), ("not known", "the same"),
    ]  # fmt: skip
    assert {name for name, _ in (every | levels) - reached} == {"given"}


def test_python_and_duckdb_weigh_every_level_alike() -> None:
    pairs = clean(list_pairs())
    assert weigh_in_duckdb(pairs) == pytest.approx(weigh_one_by_one(pairs), abs=1e-6)


def weigh_any_alike(examples: int) -> None:
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(mixtures, min_size=40, max_size=60))
    def weigh(drawn: list[tuple[LinkRecord, LinkRecord]]) -> None:
        pairs = clean([*drawn, *((other, one) for one, other in drawn)])
        found = weigh_in_duckdb(pairs)
        assert found == pytest.approx(weigh_one_by_one(pairs), abs=1e-6)
        assert found[: len(drawn)] == pytest.approx(found[len(drawn) :], abs=1e-6)

    weigh()


def test_python_and_duckdb_weigh_any_pairs_alike() -> None:
    weigh_any_alike(2)


@pytest.mark.slow
def test_python_and_duckdb_weigh_very_many_pairs_alike() -> None:
    weigh_any_alike(100)


def test_splink_weighs_every_level_alike_by_the_same_model_file() -> None:
    pairs = clean(list_pairs())
    records = [one for pair in pairs for one in pair]
    settings = json.loads(MODEL.to_json())
    del settings["teral"]
    settings["probability_two_random_records_match"] = MODEL.prior(600)
    settings["blocking_rules_to_generate_predictions"] = ["substr(l.record_id, 1, 5) = substr(r.record_id, 1, 5)"]
    columns = {name: [getattr(one, name) for one in records] for name in Features._fields}
    registered = DuckDBAPI().register(pa.table(columns), dataset_display_name="records_to_link")
    found = Linker(registered, settings).inference.predict(threshold_match_weight=-100).as_pyarrow_table().to_pydict()
    weights = dict(zip(found["record_id_l"], found["match_weight"], strict=True))
    assert [weights[one.record_id] for one, _ in pairs] == pytest.approx(weigh_one_by_one(pairs), abs=1e-6)
