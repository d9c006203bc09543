import random

from hypothesis import given
from hypothesis import strategies as st

from sync.linkage.decision import Pair
from sync.linkage.grouping import weigh_groups


def weights(*pairs: tuple[str, float]) -> dict[str, float]:
    return {
        one.one + one.other: one.bits for one in weigh_groups([Pair(ends[0], ends[1], bits) for ends, bits in pairs])
    }


def test_a_pair_alone_keeps_its_weight() -> None:
    assert weights(("ab", 7.0)) == {"ab": 7.0}


def test_other_records_of_a_person_speak_against_a_stranger() -> None:
    assert weights(("ab", 20.0), ("ac", 10.0), ("bc", -6.0)) == {"ab": 20.0, "ac": 2.0, "bc": 2.0}


def test_other_records_of_a_person_speak_for_a_poor_record() -> None:
    assert weights(("ab", 20.0), ("ac", 10.0), ("bc", 4.0))["bc"] == 7.0


def test_whom_only_a_third_record_brings_together_is_a_pair_too() -> None:
    assert weights(("ab", 20.0), ("bc", 16.0)) == {"ab": 20.0, "bc": 5.0, "ac": 5.0}


def test_groups_that_do_not_join_weigh_no_more_than_the_floor() -> None:
    assert weights(("ab", 30.0), ("cd", 30.0), ("ac", 2.0), ("bd", -9.0)) == {
        "ab": 30.0,
        "cd": 30.0,
        "ac": 0.0,
        "bd": -9.0,
    }


ENDS = ["ab", "ac", "ad", "bc", "bd", "cd", "ae", "be", "ce", "de"]


@given(st.dictionaries(st.sampled_from(ENDS), st.integers(-9, 30)), st.randoms(use_true_random=False))
def test_order_changes_nothing(given_weights: dict[str, int], dice: random.Random) -> None:
    pairs = [(ends, float(bits)) for ends, bits in given_weights.items()]
    shuffled = [*pairs]
    dice.shuffle(shuffled)
    assert weights(*shuffled) == weights(*pairs)
