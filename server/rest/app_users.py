"""App users of `/v1`: the same rows as our tablets. A token is told once, when its tablet is enrolled."""

from datetime import UTC, datetime
from typing import Any

from flask import abort, current_app, jsonify
from sqlalchemy import select

from server.accounts.credentials import enrol_device, find_credential_by_token, revoke_device
from server.accounts.permissions import permission
from server.accounts.sessions import current_user, current_viewer
from server.extensions import db
from server.rest.extended import APP_USER
from server.rest.problems import Problem
from server.rest.shapes import AppUserShape, Done, NewAppUser
from server.rest.speech import answers, blueprint, takes
from sync.devices import find_device
from sync.models import Device, Site
from sync.scopes import scope_devices


@blueprint.get("/projects/1/app-users")
@permission("devices.read")
@answers(AppUserShape, many=True, more=APP_USER)
def app_users() -> Any:
    return db.session.scalars(scope_devices(select(Device).order_by(Device.id), current_viewer()))


@blueprint.post("/projects/1/app-users")
@permission("devices.enrol")
@answers(AppUserShape)
@takes(NewAppUser)
def add_app_user(body: dict[str, Any]) -> Any:
    name, now = body["display_name"].strip(), datetime.now(UTC)
    settings, by = current_app.extensions["teral_settings"], current_viewer().actor_id
    enrolment = enrol_device(db.session(), settings, _choose_site(body.get("site")), name, now, by=by)
    return jsonify({**AppUserShape().dump(find_device(db.session(), name)), "token": enrolment.token})


@blueprint.delete("/projects/1/app-users/<int:actor_id>")
@permission("devices.enrol")
@answers(Done)
def delete_app_user(actor_id: int) -> Any:
    _revoke(get_device(actor_id), datetime.now(UTC))
    return {}


def get_device(actor_id: int) -> Device:
    asked = select(Device).where(Device.actor_id == actor_id)
    return db.session.scalar(scope_devices(asked, current_viewer())) or abort(404)


def revoke_by_token(token: str, now: datetime) -> bool:
    """Shut out the tablet whose token this is, as `DELETE /sessions/…` does in Central; False where there is none."""
    holder = find_credential_by_token(db.session.connection(), token, now, 0)
    if holder is None:
        return False
    _revoke(get_device(holder.actor_id), now)
    return True


def _revoke(device: Device, now: datetime) -> None:
    revoke_device(db.session(), device, now, by=current_viewer().actor_id)


def _choose_site(code: str | None) -> Site:
    """The site that the program names, else the caller's own, else the only one there is, else the headquarters.

    A tablet at a wrong site would get the entity lists of another, so nothing is guessed beyond that.
    """
    user, session = current_user(), db.session()
    if code is None and user is not None and user.site is not None:
        return user.site
    found = session.scalars(select(Site).where(Site.closed_at.is_(None)).order_by(Site.id)).all()
    if code is not None:
        found = [one for one in found if one.code == code]
    elif len(found) > 1:
        found = [one for one in found if one.kind == "headquarters"]
    if len(found) != 1:
        raise Problem(400.2, field="site")
    return found[0]
