"""Every route says who may use it: `@permission("devices.enrol")`. A route that says nothing answers nobody.

The table of who may do what is sync/policy.py; this file only holds requests against it.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from flask import Flask, abort, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from server.accounts.programs import identify_program
from server.accounts.sessions import current_user, current_viewer, open_writer
from server.extensions import db
from sync.audit import add_audit_event
from sync.policy import PERMISSIONS, Viewer, may, needs_purpose

PUBLIC = "public"  # anybody, logged in or not
TABLET = "tablet"  # tablets by their own credentials, which server/openrosa checks
LOGGED_IN = "session"  # every user, whatever their role
PROGRAMS = "rest"  # the blueprint whose callers log in as programs.py says
_SPECIAL = frozenset({PUBLIC, TABLET, LOGGED_IN})

View = TypeVar("View", bound=Callable[..., Any])


def permission(name: str) -> Callable[[View], View]:
    """Mark a view with the one act of the policy table that it takes."""
    if name not in _SPECIAL and name not in PERMISSIONS:
        raise ValueError(f"no such permission: {name}")

    def mark(view: View) -> View:
        view.permission = name  # type: ignore[attr-defined]
        return view

    return mark


def opens(data_class: str) -> Callable[[View], View]:
    """Mark a view that shows nothing but this class: who may read it for a purpose only is asked for it first."""

    def mark(view: View) -> View:
        view.opens = data_class  # type: ignore[attr-defined]
        return view

    return mark


def reads_first(view: View) -> View:
    """Mark a view that works for long before it writes: it opens its own writing transaction (sessions.open_writer)."""
    view.reads_first = True  # type: ignore[attr-defined]
    return view


def init_app(app: Flask) -> None:
    app.before_request(guard_request)
    app.after_request(write_readings)


def permission_of(endpoint: str) -> str | None:
    if endpoint == "static":
        return PUBLIC
    return getattr(current_app.view_functions[endpoint], "permission", None)


def guard_request() -> ResponseReturnValue | None:
    """Let a request in or not, before its view runs."""
    for left in ("login", "basic_user", "language", "readings"):
        g.pop(left, None)  # an application context may outlive a request (commands, tests)
    if request.endpoint is None:
        return None  # no such page: the router answers 404 or 405
    name = permission_of(request.endpoint)
    if request.blueprint == PROGRAMS:
        identify_program()
    if name in (PUBLIC, TABLET):
        return None
    user = current_user()
    if user is None:
        return ask_for_login()
    g.language = user.language
    if user.must_change_password and name != LOGGED_IN:
        return ask_for_password()
    if name != LOGGED_IN and (name is None or not may(current_viewer(), name)):
        abort(403)
    return ask_for_purpose()


def ask_for_purpose() -> ResponseReturnValue | None:
    """Send a reader who has not said for what to the page that asks, and back afterwards."""
    data_class = getattr(current_app.view_functions[request.endpoint or ""], "opens", None)
    if data_class is None or not needs_purpose(current_viewer(), data_class):
        return None
    return redirect(url_for("purpose.ask", next=request.full_path.rstrip("?") if request.method == "GET" else None))


def ask_for_login() -> ResponseReturnValue:
    """Send a browser to the login page and back afterwards; a page that refreshes itself goes there as a whole."""
    if request.is_json or request.blueprint == PROGRAMS:
        abort(401)
    target = url_for("session.login", next=request.full_path.rstrip("?") if request.method == "GET" else None)
    if "HX-Request" in request.headers:
        return "", 401, {"HX-Redirect": url_for("session.login")}
    return redirect(target)


def ask_for_password() -> ResponseReturnValue:
    """A one-time password opens only the page that replaces it; a program cannot choose a password."""
    if request.blueprint == PROGRAMS:
        abort(403)
    return redirect(url_for("account.password"))


def note_reading(action: str, target: str) -> None:
    """Remember that the answer shows somebody's data; the journal gets it before the answer leaves."""
    g.setdefault("readings", set()).add((action, target))


def write_readings(response: Any) -> Any:
    """Write what was read into the journal. When that fails, so does the answer: nothing is read unseen."""
    readings = g.pop("readings", None)
    # A word that was refused is answered with the page that it was said on: it shows as much as before.
    shows_nothing = response.status_code >= 400 and response.status_code != 422
    if not readings or shows_nothing:
        return response
    viewer = current_viewer()
    open_writer()
    for action, target in sorted(readings):
        add_audit_event(db.session(), viewer.actor_id, action, target, datetime.now(UTC), **_purpose_of(viewer))
    return response


def _purpose_of(viewer: Viewer) -> dict[str, str]:
    return {"purpose": viewer.purpose} if viewer.purpose else {}
