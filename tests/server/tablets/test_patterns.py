import re
from random import Random

import pytest

from server.tablets.patterns import sample_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        r"[0-9]{6}-[0-9]{2}",
        r"^[+]?[0-9][0-9 .-]{5,19}$",
        r"([A-Z]{2}|\d{3})[a-z]+",
        r"(?:ab|cd)*x?",
        r"[^0-9]{3}",
        r"\w+\.\w{2,3}",
        r"[A-Za-z0-9][A-Za-z0-9 /.<-]{2,23}",
        r"(a(b|c){2}){2}",
        r".{3,}",
    ],
)
def test_sample_matches_its_pattern(pattern: str) -> None:
    rng = Random(1)
    assert all(re.fullmatch(pattern, sample_pattern(pattern, rng)) for _ in range(50))


def test_repeated_class_draws_each_sign_anew() -> None:
    assert len(set(sample_pattern("[0-9]{40}", Random(1)))) > 5
