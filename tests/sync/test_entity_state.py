"""A step that reads no history says the same as the whole history, and knows when it cannot."""

import random
from copy import copy
from typing import Any

import pytest

from forms.programme import ListPolicy, MergePolicy
from sync.branches import Contribution, Issued, read_graph
from sync.entity_state import EntityState, adopt, can_follow, claim, follow
from sync.merge import merge_entity
from tests.sync.test_branches import CREATION, POLICIES, offline, said

POLICY = ListPolicy("dossiers", merge={**POLICIES, "lit": MergePolicy()})


def stepped(*contributions: Contribution) -> tuple[EntityState, list[Issued]]:
    state, issued = EntityState("dossiers", "x"), []
    for one in contributions:
        assert can_follow(state, one, counts=True), one.key
        issued.append(follow(state, one, POLICY, counts=True))
    return state, [one for one in issued if one]


def folded(contributions: list[Contribution], issued: list[Issued]) -> EntityState:
    """The whole fold of a history whose numbers were served already."""
    state = EntityState("dossiers", "x", version=issued[-1].number if issued else 0)
    graph = read_graph(contributions, issued)
    for one in contributions:
        claim(state, one.base_version)
    again = adopt(state, graph, merge_entity(graph, POLICY.merge_policy), issued)
    state.version -= again is not None
    return state


def random_line(draw: random.Random) -> list[Contribution]:
    """Updates of which each saw all before it: online, or offline on a branch."""
    line = [CREATION]
    version, trunk, branch = 1, 1, ""
    for number in range(draw.randint(0, 12)):
        values: dict[str, Any] = {
            name: str(draw.randint(0, 3)) for name in ("lit", "label", *POLICIES) if draw.random() < 0.4
        }
        if branch and draw.random() < 0.6:
            line.append(said(f"u{number}", draw.randint(0, 9), branch_id=branch, base_version=version,
                             trunk_version=trunk, **values))  # fmt: skip
        else:
            branch, trunk = f"B{number}", version
            line.append(said(f"u{number}", draw.randint(0, 9), branch_id=branch, base_version=version,
                             trunk_version=trunk, **values))  # fmt: skip
        version += 1
    return line


@pytest.mark.parametrize("seed", range(300))
def test_steps_say_what_the_whole_history_says(seed: int) -> None:
    line = random_line(random.Random(seed))
    state, issued = stepped(*line)
    whole = folded(line, issued)
    assert (state.label, state.properties, state.exists) == (whole.label, whole.properties, whole.exists)
    assert (state.claimed, state.whole_from, state.tip_branch, state.tip_base, state.is_settled) == (
        whole.claimed, whole.whole_from, whole.tip_branch, whole.tip_base, whole.is_settled
    )  # fmt: skip


@pytest.mark.parametrize(
    "one",
    [
        offline("b1", 1, "B", 1, sexe="2"),
        offline("a3", 3, "A", 3),
        said("u", 1, base_version=9),
        said("c2", 1, creates=True),
    ],
    ids=["a rival", "one whose forerunner is missing", "one on a number never served", "a second creation"],
)
def test_what_did_not_see_everything_cannot_follow(one: Contribution) -> None:
    state, _ = stepped(CREATION, offline("a1", 1, "A", 1, sexe="9"))
    assert not can_follow(state, one, counts=True)


def test_what_counts_for_nothing_raises_the_number_and_changes_no_value() -> None:
    state, _ = stepped(CREATION)
    before = copy(state)
    issued = follow(state, offline("a6", 1, "A", 6, sexe="2"), POLICY, counts=False)
    assert issued == Issued(7, [], [])
    assert (state.properties, state.whole_from) == (before.properties, 1)


def test_a_base_version_that_no_tablet_reaches_uses_up_no_numbers() -> None:
    state, _ = stepped(CREATION)
    assert follow(state, offline("a9", 1, "A", 999_999_999), POLICY, counts=False) is None
    assert state.claimed == 1


def test_number_1_is_the_creation_alone() -> None:
    graph = read_graph([CREATION, offline("a1", 1, "A", 1, sexe="2")], ())
    state = EntityState("dossiers", "x")
    issued = adopt(state, graph, merge_entity(graph, POLICY.merge_policy), ())
    assert issued is not None
    assert issued.number == 2
