"""How values become one; histories with branches are in test_branches.py."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from forms.programme import MergePolicy
from sync.branches import Contribution, read_graph
from sync.merge import explain_property, merge_entity


def merged(policy: MergePolicy, *values: str) -> str:
    """The value when several tablets create the same entity at the same moment."""
    said = [Contribution(f"k{place}", f"k{place}", None, True, values={"p": one}) for place, one in enumerate(values)]
    return merge_entity(read_graph(said, ()), lambda _name: policy).values["p"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [(("2", "10"), "10"), (("3", ""), "3"), (("grave", "1"), "1"), (("-1", "0"), "0")],
    ids=["numbers, not texts", "blank is below zero", "a word is below a number", "a sign is no number"],
)
def test_highest_without_an_order_counts(values: tuple[str, ...], expected: str) -> None:
    assert merged(MergePolicy("highest"), *values) == expected


def test_highest_with_an_order_ranks_words() -> None:
    assert merged(MergePolicy("highest", ("non", "oui")), "oui", "non", "peut-etre") == "oui"


def test_label_is_apart_from_the_values() -> None:
    graph = read_graph([Contribution("k", "k", None, True, values={"label": "A1 · F"})], ())
    whole = merge_entity(graph, lambda _name: MergePolicy())
    assert (whole.label, whole.values) == ("A1 · F", {})


def said(key: str, value: str, hour: int, branch: int | None = None, base: int = 1) -> Contribution:
    """What a tablet says of `p` that had the creation before it, and on a branch its own updates."""
    branch_id = str(UUID(int=branch, version=4)) if branch else None
    moment = datetime(2026, 3, 2, hour, tzinfo=UTC)
    return Contribution(key, key, moment, key == "c", None if key == "c" else base, 1, branch_id, {"p": value})


def fates(rule: str, *said: Contribution, order: tuple[str, ...] = ()) -> dict[str, tuple[str | None, str, str | None]]:
    found = explain_property(read_graph(said, ()), "p", MergePolicy(rule, order))
    return {one.key: (one.before, one.outcome, one.by) for one in found}


C = said("c", "1", 8)
A, B = said("a", "2", 9, 1), said("b", "3", 10, 2)


@pytest.mark.parametrize(
    ("rule", "told", "expected"),
    [
        pytest.param(
            "latest", (C, A, B),
            {"c": (None, "replaced", "a"), "a": ("1", "outranked", "b"), "b": ("1", "stands", None)},
            id="the last observed stands, the other is kept beside it",
        ),
        pytest.param(
            "highest", (C, said("a", "9", 9, 1), B),
            {"c": (None, "replaced", "a"), "a": ("1", "stands", None), "b": ("1", "outranked", "a")},
            id="the gravest stands, though it was observed before",
        ),
        pytest.param(
            "review", (C, A, B), {"c": (None, "replaced", "a"), "a": ("1", "open", None), "b": ("1", "open", None)},
            id="a human must choose",
        ),
        pytest.param(
            "review", (C, A, said("b", "2", 10, 2)),
            {"c": (None, "replaced", "a"), "a": ("1", "stands", None), "b": ("1", "stands", None)},
            id="two who say the same agree",
        ),
        pytest.param(
            "latest", (C, A, said("b", "1", 10, 2)),
            {"c": (None, "replaced", "a"), "a": ("1", "stands", None), "b": ("1", "repeated", None)},
            id="repeating what one had before changes nothing",
        ),
        pytest.param(
            "union", (C, A, said("b", "3 2", 10, 2)),
            {"c": (None, "replaced", "a"), "a": ("1", "stands", None), "b": ("1", "stands", None)},
            id="all choices stand together",
        ),
        pytest.param(
            "latest", (C, A, said("a2", "4", 11, 1, base=2)),
            {"c": (None, "replaced", "a"), "a": ("1", "replaced", "a2"), "a2": ("2", "stands", None)},
            id="who had seen it wrote over it",
        ),
    ],
)  # fmt: skip
def test_every_value_has_a_fate(
    rule: str, told: tuple[Contribution, ...], expected: dict[str, tuple[str | None, str, str | None]]
) -> None:
    assert fates(rule, *told) == expected


def test_a_state_that_went_back_is_told_which_state_stands() -> None:
    closed, back = said("a", "clos", 9, 1), said("a2", "arrive", 10, 1, base=2)
    found = fates("forward", said("c", "arrive", 8), closed, back, order=("arrive", "transfere", "clos"))
    assert found["a"] == ("arrive", "stands", None)
    assert found["a2"] == ("clos", "outranked", "a")
