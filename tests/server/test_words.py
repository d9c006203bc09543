"""Words outside of a web request."""

import pytest

from forms.errors import FormProblem
from server.words import choose_language, word_everywhere


@pytest.mark.parametrize(
    ("lang", "language"),
    [("fr_SN.UTF-8", "fr"), ("en_GB.UTF-8", "en"), ("C.UTF-8", "fr"), ("", "fr"), ("wo_SN", "fr")],
)
def test_command_line_speaks_french_unless_asked_for_english(lang: str, language: str) -> None:
    assert choose_language(lang) == language


def test_problem_is_worded_in_both_languages() -> None:
    words = word_everywhere(FormProblem("unknown_type", {"type": "texxt"}))
    assert set(words) == {"fr", "en"}
    assert "texxt" in words["en"]
