import pytest

from sync.linkage.calibration import Bin, Label, calibrate, find_error, to_probability

SAME, APART = (Label("a", "b", same) for same in (True, False))


def test_bins_tell_expected_and_observed_shares() -> None:
    assert calibrate([(0.0, SAME), (0.0, APART), (5.0, SAME)]) == [
        Bin(0, 2, 0.5, 0.5),
        Bin(4, 1, to_probability(5.0), 1.0),
    ]


def test_weights_far_out_share_the_outermost_bins() -> None:
    assert [one.from_bits for one in calibrate([(-90.0, APART), (-11.0, APART), (28.0, SAME), (400.0, SAME)])] == [
        -12,
        28,
    ]


def test_a_label_counts_for_as_many_pairs_as_it_was_drawn_from() -> None:
    drawn, asked = Label("a", "b", same=True, stands_for=9.0), APART
    assert [(one.pairs, one.observed) for one in calibrate([(16.0, drawn), (16.0, asked)])] == [(2, 0.9)]


def test_what_nobody_was_shown_says_nothing_of_the_weights() -> None:
    complaint = Label("a", "b", same=False, stands_for=0.0)
    assert calibrate([(16.0, complaint)]) == []
    assert [(one.pairs, one.observed) for one in calibrate([(16.0, complaint), (16.0, SAME)])] == [(1, 1.0)]


def test_the_error_is_an_average_over_labels() -> None:
    assert find_error([Bin(0, 3, 0.5, 0.6), Bin(4, 1, 0.9, 0.7)]) == pytest.approx(0.125)


def test_without_pairs_there_is_no_error_to_tell() -> None:
    assert find_error([]) is None
