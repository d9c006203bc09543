"""The language and the clock of a page: French first, English second; UTC shown in Dakar's zone."""

from datetime import datetime

from flask import Flask, g, request, session
from flask_babel import (
    Babel,
    format_date,
    format_datetime,
    format_decimal,
    format_percent,
    format_time,
    format_timedelta,
    gettext,
)

from server.accounts.users import LANGUAGES

DEFAULT_LANGUAGE = "fr"


def init_app(app: Flask) -> None:
    app.config["BABEL_DEFAULT_TIMEZONE"] = "Africa/Dakar"
    # British English writes dates and hours as they are written here: day first, 24 hours.
    Babel(app, locale_selector=lambda: {"en": "en_GB"}.get(select_language(), select_language()))
    app.jinja_env.filters.update(
        when=format_when,
        clock=format_clock,
        day=format_day,
        ago=format_ago,
        seconds=format_seconds,
        decimal=format_two_places,
        signed=format_signed,
        percent=format_share,
    )
    app.context_processor(lambda: {"language": select_language(), "languages": LANGUAGES})


def select_language() -> str:
    """The user's own choice, then the switch on the page, then what the browser asks for, then French.

    Asks no database: `g.language` is set by whoever found the user, so that an error page can always be worded.
    """
    chosen = g.get("language") or session.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(LANGUAGES) or DEFAULT_LANGUAGE


def format_when(moment: datetime | None) -> str:
    """A moment as the clocks here show it."""
    if moment is None:
        return "–"
    try:
        return str(format_datetime(moment, "short"))
    except OverflowError:
        # A broken tablet may say the first hour of the calendar, which Dakar's own does not hold.
        return moment.isoformat(" ", "minutes")


def format_clock(moment: datetime) -> str:
    return str(format_time(moment, "medium"))


def format_day(moment: datetime | None) -> str:
    return str(format_date(moment, "medium")) if moment else "–"


def format_ago(moment: datetime | None, now: datetime) -> str:
    """How long ago, in words ("il y a 3 heures")."""
    if moment is None:
        return str(gettext("never"))
    if abs((now - moment).total_seconds()) < 60:
        return str(gettext("less than a minute ago"))
    return str(format_timedelta(moment - now, granularity="minute", add_direction=True, threshold=1.2))


def format_seconds(seconds: float | None) -> str:
    """A length of time, in words ("3 heures")."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return str(gettext("less than a minute"))
    return str(format_timedelta(int(seconds), granularity="minute", threshold=1.2))


def format_signed(number: float) -> str:
    """A number with one place and its sign ("+3,2")."""
    return str(format_decimal(round(number, 1) or 0.0, "+0.0;\N{MINUS SIGN}0.0"))


def format_share(share: float) -> str:
    """A share of a whole ("97,5 %"); what is nearly all is never called all."""
    return str(format_percent(min(share, 0.999) if share < 1 else 1.0, "0.#%"))


def format_two_places(number: float) -> str:
    return str(format_decimal(number, "0.00"))
