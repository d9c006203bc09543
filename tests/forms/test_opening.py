"""Rules that fail on a blank record: the form would not open."""

import pytest

from tests.forms.refused import Change, changes, codes_in, errors_in


@pytest.mark.parametrize("change", changes("opening"), ids=lambda change: change.name)
def test_a_rule_that_fails_on_a_blank_record_stops_publishing(change: Change) -> None:
    assert codes_in(change.apply()) == change.refused


def test_the_failing_rule_is_quoted_with_its_column() -> None:
    [change] = [one for one in changes("opening") if one.name == "relevant runtime error"]
    [problem] = errors_in(change.apply())
    assert (problem.column, problem.quoted) == ("/data/size relevant", "instance('towns')/root/item/name = 1")
