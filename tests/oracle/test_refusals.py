"""What publishing refuses, and what it lets through, is what JavaRosa refuses and opens."""

import pytest

from tests.forms.refused import FORM, Change, changes
from tests.oracle.client import Oracle


def compare(oracle: Oracle, some: list[Change]) -> None:
    said = {one.name: "refuses" if "error" in oracle.open(one.apply()) else "opens" for one in some}
    assert said == {one.name: one.tablet for one in some}


def test_javarosa_opens_and_refuses_the_same_forms(oracle: Oracle) -> None:
    compare(oracle, changes()[::12])


@pytest.mark.slow
def test_javarosa_opens_and_refuses_all_the_same_forms(oracle: Oracle) -> None:
    compare(oracle, changes())


def test_javarosa_opens_what_nobody_objects_to(oracle: Oracle) -> None:
    assert "error" not in oracle.open(FORM)


def test_where_we_differ_we_are_the_stricter() -> None:
    stricter = {one.name for one in changes() if one.refused and one.tablet == "opens"}
    assert stricter == {"item empty label many", "constraint unknown function", "constraint unknown list"}
    assert [one.name for one in changes() if not one.refused and one.tablet == "refuses"] == []
