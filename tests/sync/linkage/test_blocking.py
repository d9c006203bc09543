from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.linkage.blocking import Key, find_candidates, find_keys, find_most_common, find_too_common, meet
from sync.linkage.record import LinkRecord
from tests.sync.linkage.people import MODEL, clean

STRANGER = {
    "family_name": "Sow", "given_name": "Ousmane", "sex": "1", "birth_date": date(1960, 2, 3), "nationality": "SEN",
    "birth_place": "Matam", "mother_name": "Coumba Kane", "phone": "770000000", "document_number": "A999",
}  # fmt: skip


@pytest.mark.parametrize(
    "shared",
    [
        ["document_number"], ["phone", "given_name"], ["phone", "family_name"], ["birth_date", "family_name"],
        ["birth_date", "given_name"], ["birth_date", "sex", "nationality"], ["mother_name", "given_name"],
        ["mother_name", "family_name"], ["family_name", "given_name", "birth_place"],
        ["birth_date", "family_name", "nationality", "sex"], ["birth_date", "phone"], ["birth_date", "mother_name"],
    ],
    ids="+".join,
)  # fmt: skip
def test_records_that_share_enough_are_candidates(shared: list[str]) -> None:
    stranger = clean("b", **{name: value for name, value in STRANGER.items() if name not in shared})
    assert list(find_candidates([find_keys(clean()), find_keys(stranger)])) == [(0, 1)]


def test_strangers_are_no_candidates() -> None:
    assert list(find_candidates([find_keys(clean()), find_keys(clean("b", **STRANGER))])) == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"birth_date": date(1991, 1, 1)}, True),
        ({"birth_date": date(1994, 1, 1)}, False),
        ({"birth_date": None, "age": 32}, True),
        ({"birth_date": None, "age": 29}, False),
    ],
    ids=["a year within three", "a year too far", "an age within four", "an age too far"],
)
def test_names_meet_within_the_years_that_either_may_be_off(changes: dict[str, Any], found: bool) -> None:
    bare: dict[str, Any] = {"birth_place": "", "mother_name": "", "phone": "", "document_number": ""}
    assert (list(find_candidates([find_keys(clean(**bare)), find_keys(clean("b", **bare | changes))])) != []) is found


def test_an_empty_record_has_no_keys() -> None:
    assert find_keys(MODEL.cleaner.clean(LinkRecord("a"))) == []


def test_too_common_keys_are_left_out() -> None:
    document, *keys = find_keys(clean())
    common = find_too_common([keys, keys, keys[:1]], most=2)
    assert (common, find_keys(clean(), common)) == ({keys[0].hash}, [document, *keys[1:]])


def test_records_with_an_equal_document_are_never_strangers() -> None:
    every_key = frozenset(key.hash for key in find_keys(clean()))
    one, other = (find_keys(record, every_key) for record in (clean(), clean("b", family_name="Sow")))
    assert list(find_candidates([one, other])) == [(0, 1)]


@pytest.mark.parametrize(
    ("records", "most"),
    [(200, 50), (20_000, 50), (50_000, 125), (10_000_000, 1_000)],
    ids=["few", "those of the model that ships", "one in 400", "very many"],
)
def test_how_many_may_share_a_key_follows_the_records_that_taught(records: int, most: int) -> None:
    assert find_most_common(records) == most


KEYS = st.builds(Key, st.integers(0, 3), st.integers(0, 9), st.integers(0, 4))


@given(st.lists(st.lists(KEYS, max_size=3), max_size=8))
def test_candidates_are_all_that_meet_each_once(keys: list[list[Key]]) -> None:
    expected = {
        (one, other)
        for other in range(len(keys))
        for one in range(other)
        if any(meet(mine, theirs) for mine in keys[one] for theirs in keys[other])
    }
    found = list(find_candidates(keys))
    assert (set(found), len(found)) == (expected, len(expected))


def test_a_band_of_ages_brings_nobody_together() -> None:
    """So many years meet everybody of a name; what a band says is weighed of those who meet by something else."""
    unknown, banded = (find_keys(clean(birth_date=None, age_band=band)) for band in ("", "25_59"))
    assert banded == unknown
