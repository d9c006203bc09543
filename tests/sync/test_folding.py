"""One way to take case and accents off a text, whoever does it."""

import pytest

from sync.folding import fold_letters, fold_text


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Élise", "elise"), ("E\u0301LISE", "elise"), ("NDÈYE Ŋoom", "ndeye ŋoom"), ("أَحمد", "احمد"), ("\u0301", "")],
)
def test_case_and_accents_are_gone(text: str, folded: str) -> None:
    assert fold_letters(text) == folded


def test_a_text_has_no_spaces_too_many() -> None:
    assert (fold_text("  Awa \u00a0 NDÈYE\n"), fold_letters("a  b")) == ("awa ndeye", "a  b")
