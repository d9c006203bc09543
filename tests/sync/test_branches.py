"""What a contribution had seen, what must wait, and that the order of arrival changes nothing."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from forms.programme import MergePolicy
from sync.branches import Contribution, Issued, read_graph
from sync.merge import merge_entity

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
POLICIES = {
    "urgence": MergePolicy("highest"),
    "etat": MergePolicy("forward", ("arrive", "transfere", "clos")),
    "besoins": MergePolicy("union"),
    "sexe": MergePolicy("review"),
}


def said(key: str, hour: int = 0, **facts: Any) -> Contribution:
    names = ("creates", "base_version", "trunk_version", "branch_id", "forced")
    given = {name: facts.pop(name) for name in names if name in facts}
    return Contribution(key, key, START + timedelta(hours=hour), values=facts, **given)


def offline(key: str, hour: int, branch: str, base: int, **facts: Any) -> Contribution:
    return said(key, hour, branch_id=branch, base_version=base, trunk_version=1, **facts)


CREATION = said("c", 0, creates=True, sexe="1", urgence="0", etat="arrive", besoins="eau")


def merge(*contributions: Contribution, issued: Sequence[Issued] = ()) -> Any:
    graph = read_graph(contributions, issued)
    return merge_entity(graph, lambda name: POLICIES.get(name, MergePolicy()))


@pytest.mark.parametrize(
    ("waiting", "missing"),
    [
        ([offline("a1", 1, "A", 1)], {"a1": "creation"}),
        ([CREATION, offline("a2", 2, "A", 2)], {"a2": "branch version 2"}),
        ([CREATION, offline("a2", 2, "A", 2), offline("a3", 3, "A", 3)],
         {"a2": "branch version 2", "a3": "branch version 3"}),
        ([CREATION, said("u", 1, base_version=4)], {"u": "version 4"}),
    ],
    ids=["before its creation", "before its branch's first", "a chain", "on a version never issued"],
)  # fmt: skip
def test_what_comes_early_waits_for_what_is_missing(waiting: list[Contribution], missing: dict[str, str]) -> None:
    assert read_graph(waiting, ()).held == missing


def test_the_missing_one_releases_a_whole_chain() -> None:
    chain = [offline(f"a{base}", base, "A", base) for base in (3, 2, 1)]
    graph = read_graph([*chain, CREATION], ())
    assert ([one.key for one in graph.order], graph.held) == (["c", "a1", "a2", "a3"], {})


def test_a_later_update_of_a_branch_stands_after_its_earlier_one_whatever_the_clock_says() -> None:
    graph = read_graph([CREATION, offline("a1", 9, "A", 1), offline("a2", 1, "A", 2)], ())
    assert [one.key for one in graph.order] == ["c", "a1", "a2"]


def test_a_served_number_stands_for_what_was_inside_it() -> None:
    issued = [Issued(3, {"c", "a1"})]
    graph = read_graph([CREATION, offline("a1", 1, "A", 1), said("u", 2, base_version=3)], issued)
    assert graph.ancestors("u") == {"c", "a1"}


def test_forced_updates_are_applied_with_a_flag_and_put_in_order_when_the_missing_one_comes() -> None:
    late = offline("a2", 2, "A", 2, forced=True)
    assert read_graph([CREATION, late], ()).forced == {"a2"}
    whole = read_graph([CREATION, late, offline("a1", 1, "A", 1)], ())
    assert (whole.forced, whole.ancestors("a2")) == (frozenset(), {"c", "a1"})


def test_a_number_that_names_its_own_update_makes_no_circle() -> None:
    one, other = said("u", 1, base_version=5), said("v", 2, base_version=5)
    graph = read_graph([CREATION, one, other], [Issued(5, {"c", "u", "v"})])
    assert sorted(one.key for one in graph.order) == ["c", "u", "v"]


def test_base_1_is_the_creation_that_was_served_though_an_earlier_one_comes() -> None:
    served, earlier = said("c", 5, creates=True), said("b", 0, creates=True)
    first = [Issued(1, {"c"})]
    graph = read_graph([served, earlier, offline("a1", 6, "A", 1), said("u", 6, base_version=1)], first)
    assert (graph.ancestors("a1"), graph.ancestors("u")) == ({"c"}, {"c"})


def test_an_upsert_that_found_nothing_creates() -> None:
    graph = read_graph([said("x", 1, creates=True), offline("a1", 2, "A", 1)], ())
    assert [one.key for one in graph.order] == ["x", "a1"]


@pytest.mark.parametrize(
    ("name", "first", "second", "expected"),
    [
        ("lit", "12", "14", "14"),
        ("urgence", "3", "1", "3"),
        ("etat", "clos", "transfere", "clos"),
        ("besoins", "eau soins", "eau tente", "eau soins tente"),
        ("sexe", "2", "1", "2"),
    ],
    ids=["latest", "highest", "forward", "union", "a repeated base value is no change"],
)
def test_concurrent_values_merge_by_policy(name: str, first: str, second: str, expected: str) -> None:
    merged = merge(CREATION, offline("a1", 1, "A", 1, **{name: first}), offline("b1", 2, "B", 1, **{name: second}))
    assert (merged.values[name], merged.conflicts) == (expected, {})


def test_identity_is_left_to_a_human_with_both_values() -> None:
    merged = merge(CREATION, offline("a1", 1, "A", 1, sexe="2"), offline("b1", 2, "B", 1, sexe="9"))
    assert merged.conflicts == {"sexe": (("a1", "2"), ("b1", "9"))}


def test_whoever_saw_the_higher_value_may_lower_it() -> None:
    assert merge(CREATION, offline("a1", 1, "A", 1, urgence="3"), offline("a2", 2, "A", 2, urgence="1")).values[
        "urgence"
    ] == ("1")


def test_an_unseen_graver_value_rises_above_a_decision_and_opens_no_question() -> None:
    lowered = Contribution(
        "decision d", "d", START + timedelta(hours=5), base_version=3, values={"urgence": "0"}, shown={"a1": "2"}
    )
    told = [CREATION, offline("a1", 1, "A", 1, urgence="2"), lowered]
    assert merge(*told).values["urgence"] == "0"
    risen = merge(*told, offline("b1", 2, "B", 1, urgence="3"))
    assert (risen.values["urgence"], risen.conflicts) == ("3", {})


def test_a_state_never_goes_back_even_knowingly() -> None:
    merged = merge(CREATION, offline("a1", 1, "A", 1, etat="clos"), offline("a2", 2, "A", 2, etat="arrive"))
    assert merged.values["etat"] == "clos"


def test_any_order_and_repetition_give_the_same_entity() -> None:
    history = [CREATION, offline("a1", 1, "A", 1, sexe="2"), offline("a2", 2, "A", 2, besoins="tente"),
               offline("b1", 1, "B", 1, sexe="9", urgence="2"), said("u", 5, base_version=4, etat="clos")]  # fmt: skip
    issued = [Issued(4, {"c", "a1"})]
    results = {repr(merge(*order, order[0], issued=issued)) for order in permutations(history)}
    assert len(results) == 1


def random_history(seed: int) -> list[Contribution]:
    """Tablets that update one entity offline, each on a branch of its own, some of it lost on the way."""
    draw = random.Random(seed)
    history = [CREATION]
    for branch in "ABC"[: draw.randint(1, 3)]:
        for base in range(1, draw.randint(2, 5)):
            values = {name: str(draw.randint(0, 3)) for name in ("lit", *POLICIES) if draw.random() < 0.5}
            history.append(offline(f"{branch}{base}", draw.randint(0, 9), branch, base, **values))
    return [one for one in history if draw.random() < 0.9]


@pytest.mark.parametrize("block", range(4))
def test_generated_histories_converge(block: int) -> None:
    for seed in range(block * 500, block * 500 + 500):
        history = random_history(seed)
        shuffled = random.Random(-seed).sample(history, len(history))
        assert merge(*history) == merge(*shuffled, *shuffled[:2]), seed
