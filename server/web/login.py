"""Logging in and out, and the switch of language, which works for everybody."""

from datetime import UTC, datetime

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from server.accounts.logins import LoginRefused, check_login
from server.accounts.permissions import LOGGED_IN, PUBLIC, permission, reads_first
from server.accounts.sessions import current_user, end_session, start_session
from server.accounts.users import LANGUAGES
from server.web.navigation import landing_page
from sync.policy import PROGRAM_ROLES

blueprint = Blueprint("session", __name__)


@blueprint.get("/login")
@permission(PUBLIC)
def login() -> ResponseReturnValue:
    return render_template("login.html", email="", next=safe_target(request.args.get("next")))


@blueprint.post("/login")
@permission(PUBLIC)
@reads_first
def log_in() -> ResponseReturnValue:
    now, email = datetime.now(UTC), request.form.get("email", "")
    try:
        user = check_login(email, request.form.get("password", ""), now)
    except LoginRefused as refused:
        return _refuse(email, refused.wait_s)
    if user.role in PROGRAM_ROLES:
        return _turn_away(email)
    start_session(user, now)
    return redirect(safe_target(request.form.get("next")) or landing_page(user.role))


@blueprint.get("/start")
@permission(LOGGED_IN)
def start() -> ResponseReturnValue:
    user = current_user()
    return redirect(landing_page(user.role if user else ""))


@blueprint.post("/logout")
@permission(LOGGED_IN)
def log_out() -> ResponseReturnValue:
    end_session(datetime.now(UTC))
    return redirect(url_for("session.login"))


@blueprint.post("/language")
@permission(PUBLIC)
def choose_language() -> ResponseReturnValue:
    """Remember the language in the cookie, and for a user in their account."""
    language = request.form.get("language", "")
    if language in LANGUAGES:
        session["language"] = language
        user = current_user()
        if user:
            user.language = language
    return redirect(safe_target(request.form.get("next")) or url_for("session.start"))


def _refuse(email: str, wait_s: int) -> ResponseReturnValue:
    message = _word_wait(wait_s) if wait_s else gettext("The e-mail address or the password is not right.")
    page = _render_refusal(email, message)
    return (page, 429, {"Retry-After": str(wait_s)}) if wait_s else (page, 401)


def _turn_away(email: str) -> ResponseReturnValue:
    """Said only to who knows the password: nobody else learns which accounts are programs'."""
    message = gettext("This account is for programs (/v1), not for people. Log in with an account of your own.")
    return _render_refusal(email, message), 403


def _render_refusal(email: str, message: str) -> str:
    return render_template("login.html", email=email, problem=message, next=safe_target(request.form.get("next")))


def _word_wait(seconds: int) -> str:
    minutes = -(-seconds // 60)
    words: str = ngettext(
        "Too many failed tries. Try again in %(num)d minute.",
        "Too many failed tries. Try again in %(num)d minutes.",
        minutes,
    )
    return words


def safe_target(target: str | None) -> str:
    """A path of this server, or nothing: a link must not log somebody in and send them elsewhere."""
    if target and target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable():
        return target
    return ""
