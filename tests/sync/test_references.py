"""References can be said over a radio, and a slip is noticed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.references import ALPHABET, is_misread, make_reference, parse_reference

texts = st.text(max_size=30)


@given(texts, texts, texts)
def test_a_reference_is_read_back(form_id: str, root_id: str, path: str) -> None:
    reference = make_reference(form_id, root_id, path)
    assert parse_reference(reference) == reference


def test_the_same_record_has_the_same_reference_everywhere() -> None:
    assert make_reference("f04", "uuid:1", "/data/personnes[1]") == make_reference(
        "f04", "uuid:1", "/data/personnes[1]"
    )
    assert make_reference("f04", "uuid:1", "/data/personnes[1]") != make_reference(
        "f04", "uuid:1", "/data/personnes[2]"
    )


@given(st.integers(0, 11), st.sampled_from(ALPHABET))
def test_a_wrong_symbol_is_noticed(place: int, symbol: str) -> None:
    plain = make_reference("f04", "uuid:1", "/data").replace("-", "")
    changed = plain[:place] + symbol + plain[place + 1 :]
    assert changed == plain or parse_reference(changed) is None


@pytest.mark.parametrize("written", ["{0}", " {0} ", "{1}", "{2}"], ids=["as printed", "spaces", "no dashes", "small"])
def test_a_reference_is_read_however_it_is_written(written: str) -> None:
    reference = make_reference("f04", "uuid:1", "/data")
    assert parse_reference(written.format(reference, reference.replace("-", ""), reference.lower())) == reference


@given(st.integers(0, 11), st.sampled_from("0123456789"))
def test_a_slip_is_told_from_what_is_no_reference(place: int, digit: str) -> None:
    plain = make_reference("f04", "uuid:1", "/data").replace("-", "")
    changed = plain[:place] + digit + plain[place + 1 :]
    assert is_misread(changed) is (changed != plain)
    for other in (plain, plain[:-1], f"{plain}0", "Awa Ndiaye", "Moussa Sarr 35", "221771234567", "+221 77 123 45 67"):
        assert not is_misread(other)


@pytest.mark.parametrize("text", ["", "123", "7K3QX-90MDA", "é" * 12], ids=str)
def test_what_is_no_reference_is_none(text: str) -> None:
    assert parse_reference(text) is None
