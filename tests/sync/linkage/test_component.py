"""A component is decided alone: its persons, and one question for each two of them."""

from itertools import combinations, pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sync.linkage.component import decide_all, decide_component, find_floor, find_pieces
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


HEAP = [f"H{number:03}" for number in range(200)]
CHAIN = [pair(one, other, 10) for one, other in pairwise(HEAP)]


def test_light_pairs_connect_nothing_however_many_they_are() -> None:
    decision, between = decide_all([*HEAP, "I"], [*CHAIN, pair("H100", "I", 30)], RULES)
    assert ("H100", "I") in decision.persons
    assert len(decision.persons) == len(HEAP)
    assert between == CHAIN


def test_a_rival_outside_makes_a_question() -> None:
    pairs = [pair("A", "B", 17), pair("B", "C", 10)]
    decision, _ = decide_all("ABC", pairs, RULES)
    assert [(one.pair.one, one.pair.other, one.reason) for one in decision.questions] == [("A", "B", "margin")]
    decision, _ = decide_all("ABC", pairs, RULES, [Verdict("B", "C", same=False)])
    assert list(decision.persons) == [("A", "B"), ("C",)]


def test_of_what_is_too_large_nobody_is_decided_but_by_their_word() -> None:
    heavy = [pair(one, other, 30) for one, other in pairwise(HEAP)]
    said = [Verdict("H000", "H001", same=True)]
    decision, between = decide_all(HEAP, heavy, Rules(15, -3, largest=150), said)
    assert (("H000", "H001"), len(decision.persons), between) == (decision.persons[0], len(HEAP) - 1, heavy)


def test_all_at_once_come_to_what_each_component_comes_to() -> None:
    pairs = [pair("A", "B", 30), pair("B", "C", 21), pair("D", "E", 16), pair("C", "D", 12)]
    decision, between = decide_all("ABCDE", pairs, RULES)
    left = decide_component("ABC", pairs[:2], RULES, rivals={"C": 12})
    right = decide_component("DE", pairs[2:3], RULES, rivals={"D": 12})
    assert between == pairs[3:]
    assert decision.persons == sorted([*left.persons, *right.persons])
    assert decision.questions == [*right.questions, *left.questions]


def test_a_heap_falls_into_pieces_where_its_pairs_are_lightest() -> None:
    pairs = [pair("A", "B", 30), pair("B", "C", 17), pair("C", "D", 30), pair("D", "E", 16)]
    assert find_pieces("ABCDE", pairs, largest=3) == [["A", "B"], ["C", "D"], ["E"]]
    rules = Rules(15, -3, margin=1, largest=3)
    assert list(decide_all("ABCDE", pairs, rules, in_pieces=True)[0].persons) == [("A", "B"), ("C", "D"), ("E",)]
    assert len(decide_all("ABCDE", pairs, rules)[0].persons) == 5
    word = Verdict("E", "A", same=True)
    assert find_pieces("ABCDE", pairs, 2, [word]) == [["A", "E"], ["B"], ["C", "D"]]


@given(
    st.dictionaries(st.sampled_from(list(combinations("ABCDEFGH", 2))), st.integers(0, 3)),
    st.integers(1, 8),
    st.randoms(use_true_random=False),
)
def test_pieces_hold_everybody_once_in_any_order(bits: dict[tuple[str, str], int], largest: int, dice: Random) -> None:
    pairs = [pair(*ends, weight) for ends, weight in bits.items()]
    pieces = find_pieces("ABCDEFGH", pairs, largest)
    assert sorted(record for piece in pieces for record in piece) == list("ABCDEFGH")
    assert max(map(len, pieces)) <= largest
    dice.shuffle(pairs)
    assert find_pieces("ABCDEFGH", pairs, largest) == pieces
