from math import inf, log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.linkage.explain import explain
from sync.linkage.features import Features
from sync.linkage.score import Scorer
from tests.sync.linkage.people import MODEL, clean, invent_records

SCORER = Scorer(MODEL, 1000)
OF_FILE = [MODEL.cleaner.clean(one) for one in invent_records(200, seed=4)]


@given(st.sampled_from(OF_FILE), st.sampled_from(OF_FILE))
def test_the_weight_is_symmetric_and_the_sum_of_its_parts(one: Features, other: Features) -> None:
    weight = SCORER.score(one, other)
    assert weight == pytest.approx(SCORER.score(other, one), abs=1e-9)
    assert weight == pytest.approx(sum(part.bits for part in SCORER.weigh(one, other)), abs=1e-9)


@given(st.sampled_from(OF_FILE), st.sampled_from(OF_FILE), st.floats(-40, 60))
def test_a_pair_is_given_up_only_where_it_cannot_reach_the_least(one: Features, other: Features, least: float) -> None:
    weight = SCORER.compare(one, other)
    assert SCORER.compare(other, one) == weight
    assert SCORER.compare(one, other, least) in ((weight,) if weight >= least else (weight, -inf))


def test_the_waterfall_ends_at_the_weight() -> None:
    steps = explain(SCORER, clean(), clean("b", phone=""))
    assert steps[-1].total == pytest.approx(SCORER.score(clean(), clean("b", phone="")))
    assert dict(steps[1].levels) == {
        "family name": "the same spelling",
        "mother": "both names the same",
        "phone": "not known",
    }


def test_a_rare_name_weighs_more_than_a_common_one() -> None:
    common, rare = clean(family_name="Diallo"), clean(family_name="Zwdkrmp")
    assert SCORER.score(rare, rare) > SCORER.score(common, common)


def test_a_registry_ten_times_as_large_weighs_all_pairs_less() -> None:
    far = Scorer(MODEL, 16_000).score(clean(), clean())
    assert SCORER.score(clean(), clean()) - far == pytest.approx(log2(16), abs=0.05)


def test_a_band_that_does_not_fit_speaks_against_and_one_that_fits_little_for_it() -> None:
    child, adult, unknown = (clean(band, birth_date=None, age_band=band) for band in ("0_4", "18_24", ""))
    without = SCORER.score(child, unknown)
    assert SCORER.score(child, adult) < without - 5
    assert without < SCORER.score(child, child) < without + 3
