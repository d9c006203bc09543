"""All pairs at once weigh what they weigh one by one, and none is left out that a usable key brings together."""

from pathlib import Path

import pytest

from benchmarks.regional.recording import make_records
from sync.linkage.batch import MOST_COMMON, weigh_with_duckdb, write_input
from sync.linkage.blocking import find_candidates, find_keys, find_too_common
from sync.linkage.model import default_model
from sync.linkage.record import LinkRecord, parse_record
from sync.linkage.score import Scorer

MODEL = default_model()
RECORDS = [parse_record(row) for row in make_records(1500, seed=8)[0]]


def weigh_one_by_one(records: list[LinkRecord]) -> dict[tuple[str, str], float]:
    """What batches should find, by Python alone."""
    cleaned = [MODEL.cleaner.clean(one) for one in records]
    keys = [find_keys(one) for one in cleaned]
    crowded = find_too_common(keys, MOST_COMMON)
    kept = [[key for key in own if key.hash not in crowded] for own in keys]
    scorer = Scorer(MODEL, len(cleaned))
    found = {}
    for one, other in find_candidates(kept):
        left, right = sorted((cleaned[one], cleaned[other]), key=lambda each: each.record_id)
        found[left.record_id, right.record_id] = scorer.score(left, right)
    return {ends: bits for ends, bits in found.items() if bits >= MODEL.review_at}


def test_all_pairs_weigh_what_they_weigh_one_by_one(tmp_path: Path) -> None:
    count = write_input(tmp_path, MODEL, RECORDS)
    found = {(one, other): bits for one, other, bits in weigh_with_duckdb(tmp_path, MODEL, count)}
    expected = weigh_one_by_one(RECORDS)
    assert len(expected) > 1000
    assert found == pytest.approx(expected, abs=1e-6)


def test_an_empty_registry_has_no_pairs(tmp_path: Path) -> None:
    assert list(weigh_with_duckdb(tmp_path, MODEL, write_input(tmp_path, MODEL, []))) == []
