"""All pairs at once weigh what they weigh one by one, and none is left out that a usable key brings together."""

from collections import Counter
from pathlib import Path

import duckdb
import pytest

from sync.linkage import batch
from sync.linkage.batch import (
    count_left_out,
    find_most_common,
    judge_weighed,
    read_features,
    render_pairs,
    weigh_with_duckdb,
    write_input,
)
from sync.linkage.blocking import find_keys
from sync.linkage.judging import judge
from sync.linkage.model import default_model
from tests.sync.linkage.one_by_one import weigh_one_by_one
from tests.sync.linkage.pairs import list_pairs
from tests.sync.linkage.people import invent_records

MODEL = default_model()
RECORDS = sorted(invent_records(600, seed=8), key=lambda one: one.record_id)


def test_all_pairs_weigh_what_they_weigh_one_by_one(tmp_path: Path) -> None:
    ids = write_input(tmp_path, MODEL, RECORDS)
    assert ids == [one.record_id for one in RECORDS]
    found, expected = (
        {(one, other): bits for one, other, bits in weigh(tmp_path, MODEL, len(ids))}
        for weigh in (weigh_with_duckdb, weigh_one_by_one)
    )
    assert len(expected) > 500
    assert found == pytest.approx(expected, abs=1e-6)


def test_an_empty_registry_has_no_pairs(tmp_path: Path) -> None:
    assert write_input(tmp_path, MODEL, []) == []
    assert list(weigh_with_duckdb(tmp_path, MODEL, 0)) == []


def test_a_batch_judges_every_level_as_records_are_judged_one_by_one(tmp_path: Path) -> None:
    pairs = [*list_pairs(), *zip(RECORDS, RECORDS, strict=True)]
    ids = write_input(tmp_path, MODEL, [record for pair in pairs for record in pair])
    weighed = [(number, number + 1, number / 3) for number in range(0, len(ids), 2)]
    expected = [judge(*map(MODEL.cleaner.clean, pair)) for pair in pairs]
    assert dict(judge_weighed(tmp_path, weighed)) == dict(zip(weighed, expected, strict=True))
    assert len(set(expected)) == 7


def test_records_are_read_back_as_they_were_cleaned(tmp_path: Path) -> None:
    write_input(tmp_path, MODEL, RECORDS)
    wanted = {place: RECORDS[place].record_id for place in (0, 7, 599)}
    expected = {record: MODEL.cleaner.clean(RECORDS[place]) for place, record in wanted.items()}
    assert read_features(tmp_path, wanted) == expected


def test_keys_that_too_many_share_bring_nobody_together() -> None:
    rows = [(f"crowd {number:03}", 1, 1990, 1) for number in range(101)]
    rows += [("a", 2, 1990, 1), ("b", 2, 1992, 2), ("c", 2, 1995, 1), ("d", 3, 1990, 1)]
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE link_keys (record_id text, hash bigint, year integer, spread integer)")
        connection.executemany("INSERT INTO link_keys VALUES (?, ?, ?, ?)", rows)
        found = connection.execute(render_pairs(2_000_000)).fetchall()
    assert found == [("0", "a", "b")]


def test_a_small_registry_can_afford_keys_that_more_share() -> None:
    assert [find_most_common(records) for records in (0, 20_000, 1_000_000, 50_000_000)] == [
        100_000_000,
        5_000,
        100,
        100,
    ]


def test_keys_that_are_not_looked_up_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = write_input(tmp_path, MODEL, RECORDS)
    assert count_left_out(tmp_path, len(ids)) == 0
    monkeypatch.setattr(batch, "_FEWEST_COMMON", 10)
    monkeypatch.setattr(batch, "_SHARED_BUDGET", 0)
    keys = Counter(key.hash for one in RECORDS for key in find_keys(MODEL.cleaner.clean(one), MODEL.too_common))
    assert count_left_out(tmp_path, len(ids)) == sum(count > 10 for count in keys.values()) > 0
