"""Random expressions, answered by JavaRosa and by us: the same answers, but for what differences.toml lists."""

import math
import os
import re
from random import Random

import pytest

from tests.oracle.client import Answer, Oracle
from tests.oracle.compare import Difference, read_listed
from tests.oracle.expressions import CONTEXTS, grow
from tests.oracle.functions import FORM, SUBMISSION
from tests.oracle.ours import FunctionForm

LISTED = read_listed("expression")
NUMBER = re.compile(r"\d+\.\d+(?:E-?\d+)?")
SEEDS = range(24 * int(os.environ.get("TERAL_SOAK", "1")))


def test_random_expressions_are_answered_as_javarosa_does(oracle: Oracle) -> None:
    assert compare(oracle, Random("a few expressions"), 600) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_many_random_expressions_are_answered_as_javarosa_does(oracle: Oracle, seed: int) -> None:
    assert compare(oracle, Random(f"many expressions {seed}"), 10_000) == []


def compare(oracle: Oracle, random: Random, number: int) -> list[str]:
    """The unlisted differences among so many expressions."""
    pairs = [(grow(random), random.choice(CONTEXTS)) for _ in range(number)]
    answers = oracle.evaluate(FORM.read_text(encoding="utf-8"), SUBMISSION.read_text(encoding="utf-8"), pairs)
    ours = FunctionForm.open()
    found = [
        difference(expression, context, answer, ours.answer(expression, context))
        for (expression, context), answer in zip(pairs, answers, strict=True)
    ]
    return [str(one) for one in found if one and not any(entry.covers(one) for entry in LISTED)]


def difference(expression: str, context: str, javarosa: Answer, ours: str) -> Difference | None:
    theirs = word(javarosa)
    if same(theirs, ours) or (theirs == "error" and ours.startswith(("refused", "unverified"))):
        return None
    return Difference(context, "ours", "expression", expression, f"{theirs} → {ours}")


def same(theirs: str, ours: str) -> bool:
    """Word for word, but for the last digit of a double: Java before 19 does not print the shortest, Android does."""
    if NUMBER.sub("#", theirs) != NUMBER.sub("#", ours):
        return False
    pairs = zip(NUMBER.findall(theirs), NUMBER.findall(ours), strict=True)
    return all(one == other or math.isclose(float(one), float(other), rel_tol=1e-15) for one, other in pairs)


def word(answer: Answer) -> str:
    if "error" in answer:
        return "error"
    return f"{answer['type']} {answer['string']} {str(answer['boolean']).lower()}"
