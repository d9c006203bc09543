"""Filters on answers hold for exactly the records whose answers, as rows show them, fit: also for the longest."""

import operator
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from sync.folding import fold_letters
from sync.intake import Sender
from sync.models.answers import LONGEST_VALUE
from sync.sending import send_record
from tests.server.rest.program import Program
from tests.server.rest.samples import record
from tests.server.rest.test_odata import ids, rows
from tests.sync.factory import NOW

Fits = Callable[[dict[str, Any]], bool]

# At, below and beyond what an index takes; alike up to there; capitals, accents, and what a pattern would understand.
EDGE = "a" * LONGEST_VALUE
TEXTS = (
    None, "a", "A", "b", "mango", "Mango", "é", "a_a", "100%", "it's", "🥭", "\U0010ffff", "back\\slash",
    EDGE[1:], EDGE, EDGE + "a", EDGE + "b", EDGE + "B", EDGE + "é mangue", EDGE[1:] + "🥭", EDGE[1:] + "🥭🥭",
    "🥭" * 300, "word " * 900 + "end",
)  # fmt: skip
NUMBERS = (None, 3, 12, -7, 2**62, "9" * 25, "9" * 300)
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq, "ne": operator.ne, "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge
}  # fmt: skip
SEARCH: dict[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith, "endswith": str.endswith, "contains": str.__contains__
}  # fmt: skip


@pytest.fixture
def filled(market: Program, session: Session) -> Program:
    for number in range(len(TEXTS)):
        answers = {"fruit": TEXTS[number], "boxes": NUMBERS[number % len(NUMBERS)]}
        inner = "".join(f"<{name}>{escape(str(one))}</{name}>" for name, one in answers.items() if one is not None)
        send_record(session, "market", record(f"r{number}", inner), Sender(), NOW)
    session.commit()
    return market


def pieces() -> st.SearchStrategy[str]:
    """Answers, and what they begin with, end with and hold."""
    whole = st.sampled_from([one for one in TEXTS if one is not None and len(one) < 700])
    cuts = st.integers(0, 310)
    return st.builds(lambda one, start, length: one[start : start + length], whole, st.just(0) | cuts, cuts) | whole


def quote(literal: str) -> str:
    return "'" + literal.replace("'", "''") + "'"


def compare(name: str, word: str, value: Any, written: str) -> tuple[str, Fits]:
    def fits(row: dict[str, Any]) -> bool:
        # What cannot be read as a number is in no order with one, and unlike each.
        answered = isinstance(row[name], type(value))
        return COMPARE[word](row[name], value) if answered else word == "ne"

    return f"{name} {word} {written}", fits


def search(word: str, text: str) -> tuple[str, Fits]:
    return f"{word}(fruit, {quote(text)})", lambda row: row["fruit"] is not None and SEARCH[word](row["fruit"], text)


def is_blank(name: str, word: str) -> tuple[str, Fits]:
    return f"{name} {word} null", lambda row: (row[name] is None) == (word == "eq")


def is_among(name: str, literals: list[Any]) -> tuple[str, Fits]:
    written = ", ".join("null" if one is None else quote(one) if isinstance(one, str) else str(one) for one in literals)
    return f"{name} in ({written})", lambda row: row[name] in literals


def negate(told: tuple[str, Fits]) -> tuple[str, Fits]:
    return f"not ({told[0]})", lambda row: not told[1](row)


WORDS = st.sampled_from(list(COMPARE))
SINGLE = st.one_of(
    st.builds(lambda word, one: compare("fruit", word, one, quote(one)), WORDS, pieces()),
    st.builds(lambda word, one: compare("boxes", word, one, str(one)), WORDS, st.sampled_from([-7, 0, 3, 2**62])),
    st.builds(search, st.sampled_from(list(SEARCH)), pieces()),
    st.builds(is_among, st.just("fruit"), st.lists(pieces() | st.none(), min_size=1, max_size=3)),
    st.builds(is_among, st.just("boxes"), st.lists(st.sampled_from([None, -7, 0, 3]), min_size=1)),
    st.builds(is_blank, st.sampled_from(["fruit", "boxes"]), st.sampled_from(["eq", "ne"])),
)


@pytest.mark.both_databases
def test_a_filter_finds_what_the_shown_answers_say(filled: Program) -> None:
    shown = rows(filled)

    @settings(max_examples=30, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(SINGLE | SINGLE.map(negate))
    def ask(told: tuple[str, Fits]) -> None:
        expression, fits = told
        assert ids(filled, filter=expression, select="__id") == [one["__id"] for one in shown if fits(one)], expression

    ask()


@pytest.mark.both_databases
def test_a_search_reads_the_longest_answers_to_their_end(filled: Program) -> None:
    shown = rows(filled)
    for asked in ("END", "mangue", "amango", "🥭🥭", "nothing"):
        held = [one["__id"] for one in shown if fold_letters(asked) in fold_letters(one["fruit"] or "")]
        assert ids(filled, search=asked) == held, asked


@pytest.mark.both_databases(postgresql="slow")
def test_a_list_may_be_as_long_as_a_filter(filled: Program) -> None:
    many = ",".join(map(str, range(1000)))
    assert ids(filled, filter=f"boxes in ({many})") == ids(filled, filter="boxes eq 3 or boxes eq 12")
