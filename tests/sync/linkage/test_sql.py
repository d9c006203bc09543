"""The same pair has the same weight in Python, in DuckDB by our own SQL, and in Splink by the same model file."""

import json

import duckdb
import pyarrow as pa
import pytest
from splink import DuckDBAPI, Linker

from sync.linkage.blocking import find_candidates, find_keys
from sync.linkage.features import Features
from sync.linkage.model import default_model
from sync.linkage.score import Scorer
from sync.linkage.sql import render_weights
from tests.sync.linkage.people import invent_records

MODEL = default_model()


@pytest.fixture(scope="module")
def records() -> list[Features]:
    return [MODEL.cleaner.clean(one) for one in invent_records(600, seed=5)]


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


def test_python_and_duckdb_weigh_alike(records: list[Features]) -> None:
    near = [(records[one], records[other]) for one, other in find_candidates([find_keys(one) for one in records])]
    far = [(records[place], records[-place - 1]) for place in range(100)]
    pairs = [*near[:900], *far]
    scorer = Scorer(MODEL, 600)
    expected = [scorer.score(one, other) for one, other in pairs]
    assert weigh_in_duckdb(pairs) == pytest.approx(expected, abs=1e-6)


def test_splink_weighs_alike_by_the_same_model_file(records: list[Features]) -> None:
    settings = json.loads(MODEL.to_json())
    del settings["teral"]
    settings["probability_two_random_records_match"] = MODEL.prior(600)
    settings["blocking_rules_to_generate_predictions"] = ["l.family_key = r.family_key"]
    columns = {name: [getattr(one, name) for one in records] for name in Features._fields}
    registered = DuckDBAPI().register(pa.table(columns), dataset_display_name="records_to_link")
    found = Linker(registered, settings).inference.predict(threshold_match_weight=-100).as_pyarrow_table().to_pydict()
    by_id, scorer = {one.record_id: one for one in records}, Scorer(MODEL, 600)
    pairs = zip(found["record_id_l"], found["record_id_r"], strict=True)
    assert len(found["match_weight"]) > 1000
    assert [scorer.score(by_id[one], by_id[other]) for one, other in pairs] == pytest.approx(
        found["match_weight"], abs=1e-6
    )
