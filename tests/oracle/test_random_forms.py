"""Forms that nobody wrote: they open, and their records are judged, as in JavaRosa, but for listed differences."""

import os

import pytest

from forms.opening import list_failures_on_opening
from forms.xml import FORM_LIMITS, parse_xml
from tests.forms.refused import errors_in
from tests.oracle.client import Oracle
from tests.oracle.compare import Tally
from tests.oracle.corpus import Form
from tests.oracle.differential import compare_case, make_cases
from tests.oracle.random_forms import grow_form
from tests.oracle.test_differential import LISTED, hold

ROUNDS = range(12 * int(os.environ.get("TERAL_SOAK", "1")))


def compare_forms(oracle: Oracle, names: list[str]) -> Tally:
    """All records of the forms of these names that can be filled at all."""
    tally = Tally()
    for form in map(grow_form, names):
        if opens_as_judged(form, oracle):
            cases = list(make_cases(form, oracle, "random"))
            honest = oracle.validate(form.xml, cases[0].fill.render(), form.media)
            for case in cases if "error" not in honest else ():
                compare_case(case, oracle, tally, LISTED)
    return tally


def opens_as_judged(form: Form, oracle: Oracle) -> bool:
    """Whether JavaRosa opens a form; publishing has to know, unless it depends on the time."""
    opens = "error" not in oracle.open(form.xml, form.media)
    failures = list(list_failures_on_opening(parse_xml(form.xml.encode(), FORM_LIMITS), form.definition, form.lists))
    refused = bool(errors_in(form.xml) or failures)
    assert opens is not refused or (not opens and "today()" in form.xml), form.name
    return opens


def test_random_forms_are_judged_as_javarosa_does(oracle: Oracle) -> None:
    hold(compare_forms(oracle, [f"quick {number}" for number in range(3)]))


@pytest.mark.slow
@pytest.mark.parametrize("seed", ROUNDS)
def test_many_random_forms_are_judged_as_javarosa_does(oracle: Oracle, seed: int) -> None:
    tally = compare_forms(oracle, [f"{seed} {number}" for number in range(60)])
    hold(tally)
    assert tally.share_of_verdicts() >= 0.995
    assert tally.share_of_findings() >= 0.99


def test_a_name_always_grows_the_same_form() -> None:
    assert grow_form("one").xml == grow_form("one").xml
    assert grow_form("one").xml != grow_form("another").xml
