"""The language and the clock of a page."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask, session

from server.i18n import (
    format_ago,
    format_clock,
    format_day,
    format_seconds,
    format_two_places,
    format_when,
    select_language,
)

NOON = datetime(2026, 11, 25, 12, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [("", "fr"), ("en-US,en;q=0.9", "en"), ("fr-SN", "fr"), ("wo, en;q=0.5", "en"), ("de", "fr")],
)
def test_a_browser_gets_its_language_and_else_french(app: Flask, asked: str, chosen: str) -> None:
    with app.test_request_context(headers={"Accept-Language": asked}):
        assert select_language() == chosen


@pytest.mark.parametrize(("switched", "chosen"), [("en", "en"), ("tlh", "fr")])
def test_the_switch_on_the_page_wins(app: Flask, switched: str, chosen: str) -> None:
    with app.test_request_context(headers={"Accept-Language": "fr"}):
        session["language"] = switched
        assert select_language() == chosen


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fr", ["25/11/2026 12:00", "12:00:05", "25 nov. 2026", "1,50", "il y a 3 heures", "3 heures"]),
        ("en", ["25/11/2026, 12:00", "12:00:05", "25 Nov 2026", "1.50", "3 hours ago", "3 hours"]),
    ],
)
def test_moments_and_numbers_are_written_as_here(app: Flask, language: str, words: list[str]) -> None:
    with app.test_request_context(headers={"Accept-Language": language}):
        ago = format_ago(NOON - timedelta(hours=3), NOON)
        written = [
            format_when(NOON), format_clock(NOON), format_day(NOON), format_two_places(1.5), ago, format_seconds(10800),
        ]  # fmt: skip
        assert [one.replace("\xa0", " ") for one in written] == words


def test_what_never_was_and_what_just_was(app: Flask) -> None:
    with app.test_request_context():
        assert (format_when(None), format_seconds(None)) == ("–", "–")
        assert (format_ago(None, NOON), format_seconds(5)) == ("jamais", "moins d'une minute")
        assert format_ago(NOON - timedelta(seconds=5), NOON) == "il y a moins d'une minute"
