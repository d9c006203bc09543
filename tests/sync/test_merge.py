"""How values become one; histories with branches are in test_branches.py."""

import pytest

from forms.programme import MergePolicy
from sync.branches import Contribution, read_graph
from sync.merge import merge_entity


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
