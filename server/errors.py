"""What a reader sees when something is refused or goes wrong: a page in their language, never a traceback.

OpenRosa answers its own errors in XML (server/openrosa).
"""

from flask import Flask, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from forms.errors import N_
from server.extensions import db

_WORDS = {
    400: (N_("This request cannot be understood"), N_("Go back, check what you entered, and try again.")),
    401: (N_("You are not logged in"), N_("Log in and try again.")),
    403: (N_("This is not open to you"), N_("Your role does not include this page or action.")),
    404: (N_("There is no such page"), N_("It may have moved, or it lies outside of what you may see.")),
    405: (N_("This page cannot do that"), N_("Go back and use the buttons of the page.")),
    413: (N_("This is too large"), N_("The file or form that you sent is larger than the server accepts.")),
    429: (N_("Too many tries"), N_("Wait a moment before you try again.")),
    500: (N_("Something went wrong here"), N_("Nothing was changed. The fault is noted in the server's log.")),
    503: (N_("The server is busy"), N_("Nothing was lost. Try again in a minute.")),
}
_EXPIRED = (N_("This page was open for too long"), N_("Go back, reload the page and try again."))


def init_app(app: Flask) -> None:
    app.register_error_handler(HTTPException, render_error)


def render_error(error: HTTPException) -> ResponseReturnValue:
    """Undo whatever the request began, then say what happened; redirects pass."""
    status = error.code or 500
    if status < 400:
        return error.get_response()
    db.session.rollback()
    g.pop("login", None)
    title, advice = _EXPIRED if isinstance(error, CSRFError) else _find_words(status)
    if request.is_json:
        return {"error": gettext(title)}, status
    page = render_template("error.html", status=status, title=gettext(title), advice=gettext(advice))
    headers = [(name, value) for name, value in error.get_headers() if name in ("Allow", "Retry-After")]
    return page, status, headers


def _find_words(status: int) -> tuple[str, str]:
    return _WORDS.get(status) or _WORDS[400 if status < 500 else 500]
