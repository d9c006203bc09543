"""A component is decided alone: its persons, and one question for each two of them."""

from sync.linkage.component import decide_component, find_floor
from sync.linkage.decision import Pair, Rules, Verdict

RULES = Rules(15, -3)


def pair(one: str, other: str, bits: float, *, corroborated: bool = True) -> Pair:
    return Pair(one, other, bits, corroborated)


def test_what_weighs_enough_is_linked() -> None:
    decision = decide_component("ABC", [pair("A", "B", 30)], RULES)
    assert list(decision.persons) == [("A", "B"), ("C",)]
    assert not decision.questions


def test_two_persons_are_asked_about_once() -> None:
    pairs = [pair("A", "B", 40), *(pair(one, "C", 12) for one in "AB")]
    decision = decide_component("ABC", pairs, RULES)
    assert [(one.pair.one, one.pair.other) for one in decision.questions] == [("A", "C")]


def test_what_is_lighter_than_the_floor_is_no_matter_of_a_component() -> None:
    assert find_floor(RULES) == 7
    decision = decide_component("AB", [pair("A", "B", 6)], RULES)
    assert len(decision.persons) == 2
    assert not decision.questions


def test_a_word_links_without_any_pair() -> None:
    assert list(decide_component("AB", [], RULES, [Verdict("A", "B", same=True)]).persons) == [("A", "B")]
