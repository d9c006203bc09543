"""Records judged by JavaRosa and by us: same verdict, findings, relevance and values, but for listed differences."""

import os
from collections import Counter

import pytest

from tests.oracle.client import Oracle
from tests.oracle.compare import Tally, read_listed
from tests.oracle.corpus import Form, all_forms
from tests.oracle.differential import compare_case, make_cases

LISTED = read_listed("finding")
ROUNDS = range(12 * int(os.environ.get("TERAL_SOAK", "1")))


def compare_form(form: Form, oracle: Oracle, seed: str, tally: Tally) -> None:
    for case in make_cases(form, oracle, seed):
        compare_case(case, oracle, tally, LISTED)


def hold(tally: Tally) -> None:
    """No difference but listed ones, whatever their number."""
    found = Counter(str(one) for one in tally.unlisted)
    assert not found, "\n".join(f"{times} × {one}" for one, times in found.most_common(40))


def test_each_form_is_judged_as_javarosa_does(oracle: Oracle) -> None:
    tally = Tally()
    for form in all_forms():
        compare_form(form, oracle, "quick", tally)
    hold(tally)


@pytest.mark.slow
@pytest.mark.parametrize("seed", ROUNDS)
def test_many_records_are_judged_as_javarosa_does(oracle: Oracle, seed: int) -> None:
    tally = Tally()
    for form in all_forms():
        for fill in range(4):
            compare_form(form, oracle, f"{seed} {fill}", tally)
    hold(tally)
    assert tally.share_of_verdicts() >= 0.995
    assert tally.share_of_findings() >= 0.99
