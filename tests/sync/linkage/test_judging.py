from datetime import date
from typing import Any

import pytest

from sync.linkage.judging import judge, judge_pair
from sync.linkage.record import LinkRecord
from sync.linkage.score import Scorer
from tests.sync.linkage.people import MODEL, clean

YEAR: dict[str, Any] = {"birth_date": date(1990, 1, 1), "document_number": ""}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"given_name": "Awa"}, True),
        ({"document_number": ""}, True),
        ({"document_number": "", "given_name": "Awa"}, False),
        (YEAR, True),
        (YEAR | {"mother_name": ""}, False),
        (YEAR | {"birth_date": date(1992, 1, 1)}, False),
        (YEAR | {"birth_date": None, "age_band": "25_59"}, False),
    ],
    ids=[
        "document",
        "day and given name",
        "a brother's",
        "given name, year and mother",
        "no mother",
        "another year",
        "an age band that fits",
    ],
)
def test_corroboration_is_more_than_a_household(changes: dict[str, Any], expected: bool) -> None:
    assert judge(clean(), clean("b", **changes)).corroborated is expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, False),
        ({"given_name": "Awa"}, True),
        ({"sex": "1"}, True),
        ({"birth_date": date(1991, 8, 2)}, True),
        ({"document_number": "O7654321"}, True),
        ({"mother_name": "Coumba Kane"}, True),
        ({"birth_date": None, "age_band": "5_11"}, True),
        ({"birth_date": None, "age_band": "25_59"}, False),
        ({"phone": "770000000", "birth_place": "Bissau"}, False),
    ],
    ids=[
        "nothing",
        "given name",
        "sex",
        "birth",
        "document",
        "mother",
        "an age band that does not fit",
        "an age band that fits",
        "what people change",
    ],
)
def test_conflicts(changes: dict[str, Any], expected: bool) -> None:
    assert judge(clean(), clean("b", **changes)).conflict is expected


def test_a_judged_pair_is_the_same_whichever_comes_first() -> None:
    scorer = Scorer(MODEL, 1000)
    pair = judge_pair(scorer, clean("b"), clean("a"))
    assert (pair, pair.one, pair.bits) == (
        judge_pair(scorer, clean("a"), clean("b")),
        "a",
        scorer.score(clean(), clean()),
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, False),
        ({"phone": "770000000"}, False),
        ({"phone": "770000000", "document_number": ""}, True),
        ({"given_name": "Awa Fatou", "document_number": ""}, True),
    ],
    ids=["the same words", "the same papers", "other words", "a name more"],
)
def test_of_one_visit_only_the_same_words_or_papers_are_of_one_person(changes: dict[str, Any], expected: bool) -> None:
    one, other = clean(), clean("b", **changes)
    assert judge(one, other).told_apart is expected
    scorer = Scorer(MODEL, 1000)
    assert judge_pair(scorer, one, other, one_visit=True).beside is expected
    assert not judge_pair(scorer, one, other).beside


def test_a_visit_is_a_place_and_a_day() -> None:
    day = date(2026, 3, 4)
    assert LinkRecord("a", post="P01", tablet="P01-2", recorded_on=day).visit == ("P01", day)
    assert LinkRecord("a", site_id=7, recorded_on=day).visit == (7, day)
    assert LinkRecord("a", post="P01").visit is LinkRecord("a", recorded_on=day).visit is None
