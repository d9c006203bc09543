"""The fold of one entity from all that is known of it, without a database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from forms.programme import ListPolicy, MergePolicy
from sync.branches import Issued
from sync.entity_facts import ActFacts, Folded, History, SaidFacts, fold_history
from sync.entity_state import EntityState

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
POLICY = ListPolicy("dossiers", merge={"sexe": MergePolicy("review")})


def told(instance_id: str, base: int | None = 1, hour: int = 1, **facts: Any) -> SaidFacts:
    given = {"root_id": instance_id, "counts": True, "action": "update", "ordinal": 1, **facts}
    return SaidFacts(
        1, "f", instance_id, ended_at=START + timedelta(hours=hour), base_version=base, trunk_version=1,
        branch_id=given.pop("branch", None), label=None, properties=given.pop("values"), **given,
    )  # fmt: skip


CREATION = told("c", None, 0, action="create", values={"sexe": "1", "lit": "12"})


def fold(*said: SaidFacts, **facts: Any) -> Folded:
    return fold_history(History(1, EntityState("dossiers", "x"), said, **facts), POLICY)


def waits(folded: Folded) -> dict[str, str | None]:
    return {one.fact.key: one.missing for one in folded.waits}


def test_an_edit_is_not_newer_than_what_came_after_its_original() -> None:
    original = told("a", hour=1, values={"lit": "1"}, counts=False, superseded=True)
    edit = told("a2", 2, hour=9, values={"lit": "2"}, root_id="a")
    folded = fold(CREATION, original, edit, told("b", hour=5, values={"lit": "20"}))
    assert folded.merged.values["lit"] == "20"


def test_an_edit_of_a_creation_still_creates() -> None:
    original = told("c", None, 0, action="create", values={"lit": "1"}, counts=False, superseded=True)
    edit = told("c2", 1, 3, root_id="c", values={"lit": "2"})
    assert (fold(original, edit).state.exists, fold(original, edit).merged.values) == (True, {"lit": "2"})


def test_a_rejected_twin_gives_nobody_its_place() -> None:
    twin = told("a", 1, values={"lit": "1"}, counts=False)
    edit = told("a2", 7, values={"lit": "2"}, root_id="a")
    assert [one.missing for one in fold(CREATION, twin, edit).waits if one.fact == edit] == ["version 7"]


def test_what_a_repeat_says_keeps_its_name_when_the_one_before_it_is_left_out() -> None:
    assert told("a", ordinal=1, values={}).key == told("b", ordinal=1, root_id="a", values={}).key
    assert told("a", ordinal=1, values={}).record != told("b", ordinal=1, root_id="a", values={}).record


def test_a_released_record_is_applied_and_says_that_something_is_missing() -> None:
    late = told("a", 7, values={"lit": "2"})
    held, released = fold(CREATION, late), fold(CREATION, late, released=["f a 1"])
    assert (held.merged.values["lit"], released.merged.values["lit"]) == ("12", "2")
    assert [one.forced for one in released.waits if one.fact == late] == [True]


@pytest.mark.parametrize("missing", [(), (CREATION,)], ids=["before its entity", "after it"])
def test_a_deletion_of_what_is_not_here_yet_waits(missing: tuple[SaidFacts, ...]) -> None:
    act = ActFacts(1, "u", "delete", 1, None, {}, START + timedelta(hours=4))
    folded = fold(*missing, acts=[act])
    assert waits(folded)["act u"] == (None if missing else "creation")
    assert folded.state.exists is False


def test_every_update_raises_what_is_served_to_its_tablets_version() -> None:
    folded = fold(CREATION, told("a", 6, values={}, counts=False))
    assert folded.issued == Issued(7, ["f c 1"], [])


def test_what_one_record_says_twice_counts_as_two_on_its_tablet() -> None:
    twice = [told("a", values={"lit": lit}, branch="B", ordinal=number) for number, lit in ((1, "7"), (2, "8"))]
    after = told("b", 3, values={"lit": "9"}, branch="B")
    folded = fold(CREATION, *twice, after)
    assert (folded.issued and folded.issued.number, folded.merged.values["lit"]) == (4, "9")
    assert set(waits(folded).values()) == {None}


def test_without_a_branch_what_one_record_says_twice_is_based_on_one_version() -> None:
    folded = fold(CREATION, *(told("a", values={"lit": str(number)}, ordinal=number) for number in (1, 2)))
    assert set(waits(folded).values()) == {None}
