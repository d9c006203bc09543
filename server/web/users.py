"""Administration of web users: list, add, change, disable, reset a password (shown once)."""

from datetime import UTC, datetime

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import select

from server.accounts.models import User
from server.accounts.permissions import permission
from server.accounts.sessions import current_viewer
from server.accounts.users import AccountRefused, add_user, change_user, list_users, make_password, reset_password
from server.extensions import db
from sync.models import Site
from sync.policy import ROLES, SITE_ROLES

blueprint = Blueprint("users", __name__, url_prefix="/users")


@blueprint.get("/")
@permission("users.manage")
def list_page() -> ResponseReturnValue:
    return render_template("users/list.html", users=list_users(db.session()))


@blueprint.get("/new")
@permission("users.manage")
def new() -> ResponseReturnValue:
    return _render_form(None, {})


@blueprint.post("/new")
@permission("users.manage")
def add() -> ResponseReturnValue:
    """Make an account with a one-time password, which is shown in this answer and never again."""
    password, asked = make_password(), request.form
    try:
        user = add_user(
            db.session(), email=asked.get("email", ""), role=asked.get("role", ""), site=_asked_site(),
            language=asked.get("language", "fr"), password=password, now=datetime.now(UTC),
            by=current_viewer().actor_id, must_change=True,
        )  # fmt: skip
    except AccountRefused as refusal:
        return _render_form(None, dict(asked), refusal)
    return render_template("users/password_once.html", account=user, password=password)


@blueprint.get("/<int:user_id>")
@permission("users.manage")
def edit(user_id: int) -> ResponseReturnValue:
    user = _get_user(user_id)
    asked = {"role": user.role, "site": user.site.code if user.site else "", "disabled": user.disabled_at is not None}
    return _render_form(user, asked)


@blueprint.post("/<int:user_id>")
@permission("users.manage")
def change(user_id: int) -> ResponseReturnValue:
    user, asked = _get_user(user_id), request.form
    try:
        change_user(
            db.session(), user, role=asked.get("role", ""), site=_asked_site(), disabled="disabled" in asked,
            now=datetime.now(UTC), by=current_viewer().actor_id,
        )  # fmt: skip
    except AccountRefused as refusal:
        return _render_form(user, dict(asked), refusal)
    flash(gettext("The account is changed."))
    return redirect(url_for("users.list_page"))


@blueprint.post("/<int:user_id>/password")
@permission("users.manage")
def reset(user_id: int) -> ResponseReturnValue:
    user = _get_user(user_id)
    password = reset_password(db.session(), user, datetime.now(UTC), current_viewer().actor_id)
    return render_template("users/password_once.html", account=user, password=password)


def _get_user(user_id: int) -> User:
    return db.session.get(User, user_id) or abort(404)


def _asked_site() -> Site | None:
    return db.session.scalar(select(Site).where(Site.code == request.form.get("site", "")))


def _render_form(
    account: User | None, asked: dict[str, object], refusal: AccountRefused | None = None
) -> ResponseReturnValue:
    page = render_template(
        "users/edit.html", account=account, asked=asked, roles=ROLES, site_roles=SITE_ROLES,
        sites=db.session.scalars(select(Site).order_by(Site.name)).all(),
        problem=refusal.word(gettext) if refusal else None,
    )  # fmt: skip
    return page, 422 if refusal else 200
