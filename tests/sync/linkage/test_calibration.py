import pytest

from sync.linkage.calibration import Bin, calibrate, find_error, to_probability


def test_bins_tell_expected_and_observed_shares() -> None:
    assert calibrate([(0.0, True), (0.0, False), (5.0, True)]) == [
        Bin(0, 2, 0.5, 0.5),
        Bin(4, 1, to_probability(5.0), 1.0),
    ]


def test_weights_far_out_share_the_outermost_bins() -> None:
    assert [one.from_bits for one in calibrate([(-90.0, False), (-11.0, False), (28.0, True), (400.0, True)])] == [
        -12,
        28,
    ]


def test_the_error_is_an_average_over_pairs() -> None:
    assert find_error([Bin(0, 3, 0.5, 0.6), Bin(4, 1, 0.9, 0.7)]) == pytest.approx(0.125)


def test_without_pairs_there_is_no_error_to_tell() -> None:
    assert find_error([]) is None
