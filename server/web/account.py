"""A user's own account: their password. Nobody else's (users.py)."""

from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from server.accounts.permissions import LOGGED_IN, permission
from server.accounts.sessions import current_user, start_session
from server.accounts.users import AccountRefused, change_password
from server.extensions import db
from server.web.navigation import landing_page

blueprint = Blueprint("account", __name__, url_prefix="/account")


@blueprint.get("/password")
@permission(LOGGED_IN)
def password() -> ResponseReturnValue:
    return render_template("password.html")


@blueprint.post("/password")
@permission(LOGGED_IN)
def set_password() -> ResponseReturnValue:
    user, now = current_user(), datetime.now(UTC)
    assert user is not None  # noqa: S101 (the guard let nobody else in)
    if request.form.get("new") != request.form.get("again"):
        return render_template("password.html", problem=gettext("The two new passwords are not the same.")), 422
    try:
        change_password(db.session(), user, request.form.get("old", ""), request.form.get("new", ""), now)
    except AccountRefused as refusal:
        return render_template("password.html", problem=refusal.word(gettext)), 422
    start_session(user, now)
    flash(gettext("Your password is changed."))
    return redirect(landing_page(user.role))
