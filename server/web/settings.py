"""Settings: those that can be changed here, and those of the environment to read, without secrets."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from server.accounts.permissions import permission
from server.accounts.sessions import current_viewer
from server.config import Settings
from server.extensions import db
from sync.settings import KNOWN, SettingRefused, change_setting, get_setting

blueprint = Blueprint("settings", __name__, url_prefix="/settings")


@blueprint.get("/")
@permission("settings.manage")
def page() -> ResponseReturnValue:
    return _render({name: get_setting(db.session(), name) for name in KNOWN})


@blueprint.post("/")
@permission("settings.manage")
def change() -> ResponseReturnValue:
    try:
        for name in KNOWN:
            text = request.form.get(name, "")
            change_setting(db.session(), name, text, current_viewer().actor_id, datetime.now(UTC))
    except SettingRefused as refused:
        db.session.rollback()
        return _render(request.form.to_dict(), refused.word(gettext)), 422
    flash(gettext("The settings are changed."))
    return redirect(url_for("settings.page"))


def _render(values: Mapping[str, object], problem: str | None = None) -> str:
    settings: Settings = current_app.extensions["teral_settings"]
    environment = [
        (f"TERAL_{one.name.upper()}", _show(settings, one.name, one.metadata["secret"]), one.metadata["help"])
        for one in fields(Settings)
    ]
    return render_template(
        "settings.html", known=KNOWN.values(), values=values, environment=environment, problem=problem
    )


def _show(settings: Settings, name: str, secret: bool) -> str:
    value = getattr(settings, name)
    if secret:
        return str(gettext("set") if value else gettext("not set"))
    return str(value)
