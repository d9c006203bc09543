from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.linkage.decision import Decision, Pair, Rules, Verdict, decide_persons, split_verdicts

RULES = Rules(link_at=15, review_at=-3, margin=8, largest=6)


def pair(ends: str, bits: float, *, corroborated: bool = True, conflict: bool = False, beside: bool = False) -> Pair:
    return Pair(ends[0], ends[1], bits, corroborated, conflict, beside)


def decide(pairs: Iterable[Pair], verdicts: Iterable[Verdict] = (), records: str = "abcdef") -> Decision:
    return decide_persons(records, pairs, RULES, verdicts)


def together(decision: Decision) -> set[str]:
    return {"".join(person) for person in decision.persons if len(person) > 1}


def reasons(decision: Decision) -> list[str]:
    return [one.reason for one in decision.questions]


@pytest.mark.parametrize(
    ("pairs", "persons", "asked"),
    [
        ([pair("ab", 20)], {"ab"}, []),
        ([pair("ab", 14)], set(), ["weight"]),
        ([pair("ab", -4)], set(), []),
        ([pair("ab", 20, corroborated=False)], set(), ["corroboration"]),
        ([pair("ab", 20, conflict=True)], set(), ["conflict"]),
        ([pair("ab", 20, beside=True)], set(), ["visit"]),
        ([pair("ab", 20), pair("bc", 18)], {"abc"}, []),
        ([pair("ab", 20), pair("bc", 13)], set(), ["margin", "weight"]),
        ([pair("ab", 20), pair("bc", 11)], {"ab"}, ["weight"]),
        ([pair("ab", 30), pair("bc", 25), pair("ac", 16, conflict=True)], {"ab"}, ["conflict"]),
        ([pair("ab", 30), pair("bc", 25), pair("ac", 16, beside=True)], {"ab"}, ["visit"]),
        ([pair("ab", 30), pair("bc", 29), pair("cd", 28), pair("de", 27), pair("ef", 26), pair("fg", 25)], set(),
         ["size"] * 6),
    ],
    ids=[
        "alone above", "below the link", "below the review", "household only", "conflict", "one visit",
        "a third record is no rival", "runner-up too near", "runner-up far enough", "conflict inside a group",
        "one visit inside a group", "too large a component",
    ],
)  # fmt: skip
def test_what_is_linked_and_what_is_asked(pairs: Sequence[Pair], persons: set[str], asked: list[str]) -> None:
    decision = decide(pairs, records="abcdefg")
    assert (together(decision), reasons(decision)) == (persons, asked)


def test_people_link_what_no_weight_would() -> None:
    assert together(decide([], [Verdict("a", "b", same=True)])) == {"ab"}


def test_a_record_is_no_rival_of_whom_people_made_one_person_with_it() -> None:
    pairs = [pair("ab", 20), pair("bc", 14)]
    assert together(decide(pairs)) == set()
    assert together(decide(pairs, [Verdict("a", "c", same=True)])) == {"abc"}


def test_words_that_contradict_each_other_count_alike_whichever_record_they_name_first() -> None:
    said = [Verdict("a", "d", same=False), *(Verdict(*ends, same=True) for ends in ("ac", "bc", "bd"))]
    turned = [Verdict("a", "d", same=False), *(Verdict(*ends, same=True) for ends in ("ca", "cb", "bd"))]
    assert together(decide([], said)) == together(decide([], turned)) == {"abc"}


def test_people_keep_apart_what_every_weight_would_link() -> None:
    decision = decide([pair("ab", 40)], [Verdict("a", "b", same=False)])
    assert (together(decision), reasons(decision)) == (set(), [])


def test_never_the_same_holds_for_whole_groups() -> None:
    decision = decide([pair("ab", 40), pair("bc", 39)], [Verdict("a", "c", same=False)])
    assert (together(decision), reasons(decision)) == ({"ab"}, ["apart"])


def test_two_persons_are_one_question() -> None:
    decision = decide([pair("ab", 20), pair("ac", 5), pair("bc", 4), pair("bd", 3)])
    assert [(one.pair.one, one.pair.other) for one in decision.questions] == [("a", "c"), ("b", "d")]


def test_a_person_waits_for_the_answer_about_its_nearest_rival() -> None:
    pairs = [pair("ab", 6), pair("bc", 5), pair("ac", 4)]
    first, then = decide(pairs), decide(pairs, [Verdict("a", "b", same=False)])
    assert [one.pair.bits for one in first.questions] == [6, 5]
    assert [one.pair.bits for one in then.questions] == [5, 4]


def test_a_verdict_about_two_records_settles_it_for_their_persons() -> None:
    pairs, said = [pair("ab", 20), pair("ac", 5), pair("bc", 5)], [Verdict("b", "c", same=False)]
    assert decide(pairs, said).questions == []


def test_a_heavier_pair_than_was_shown_is_asked_again() -> None:
    pairs, said = [pair("ab", 20), pair("ac", 5), pair("bc", 9)], [Verdict("a", "c", same=False)]
    assert [one.pair.bits for one in decide(pairs, said).questions] == [9]


def test_a_link_by_people_yields_to_people_who_keep_apart() -> None:
    said = [Verdict("a", "b", same=True), Verdict("b", "c", same=True), Verdict("a", "c", same=False)]
    assert together(decide([], said)) == {"ab"}


def test_a_split_keeps_both_parts_apart() -> None:
    pairs = [pair("ab", 40), pair("cd", 40), pair("bc", 39)]
    assert together(decide(pairs, split_verdicts("ab", "cd"))) == {"ab", "cd"}


def test_a_verdict_about_an_absent_record_waits() -> None:
    assert together(decide([], [Verdict("a", "z", same=True)])) == set()


ENDS = st.sampled_from(["ab", "ac", "ad", "bc", "bd", "cd", "ae", "be", "ce", "de"])
PAIRS = st.lists(
    st.builds(pair, ENDS, st.integers(-5, 30), corroborated=st.booleans(), conflict=st.booleans()),
    unique_by=lambda one: (one.one, one.other),
)
VERDICTS = st.lists(st.builds(lambda ends, same: Verdict(ends[0], ends[1], same), ENDS, st.booleans()), max_size=4)


@given(PAIRS, VERDICTS, st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(pairs: list[Pair], verdicts: list[Verdict], dice: object) -> None:
    import random

    assert isinstance(dice, random.Random)
    shuffled, heard, records = [*pairs], [*verdicts, *verdicts], list("abcdef")
    for one in (shuffled, heard, records):
        dice.shuffle(one)
    assert decide(shuffled, heard, "".join(records)) == decide(pairs, verdicts)


@given(PAIRS, VERDICTS)
def test_what_people_keep_apart_is_apart(pairs: list[Pair], verdicts: list[Verdict]) -> None:
    decision = decide(pairs, verdicts)
    apart = [{one.one, one.other} for one in verdicts if not one.same]
    assert not any(ends <= set(person) for person in decision.persons for ends in apart)


@given(PAIRS, VERDICTS)
def test_no_person_with_something_to_ask_is_left_out(pairs: list[Pair], verdicts: list[Verdict]) -> None:
    decision = decide(pairs, verdicts)
    person_of = {record: person for person in decision.persons for record in person}
    asked = {person_of[end] for one in decision.questions for end in (one.pair.one, one.pair.other)}
    said = {(one.one, one.other) for one in verdicts}
    crossed = {frozenset((person_of[one], person_of[other])) for one, other in said}
    for one in pairs:
        rivals = person_of[one.one], person_of[one.other]
        if one.bits >= RULES.review_at and rivals[0] != rivals[1] and frozenset(rivals) not in crossed:
            assert asked.issuperset(rivals)


@given(PAIRS, VERDICTS)
def test_every_record_is_in_one_person(pairs: list[Pair], verdicts: list[Verdict]) -> None:
    assert sorted(record for person in decide(pairs, verdicts).persons for record in person) == list("abcdef")
