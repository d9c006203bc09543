"""Tablets: list, one tablet with what it holds, enrolling, the code that is shown once, states and alerts."""

import base64
from datetime import UTC, datetime, timedelta

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import Select, func, select

from server.accounts.collect_settings import render_qr_png
from server.accounts.credentials import Enrolment, enrol_device, revoke_device, rotate_credential
from server.accounts.permissions import permission
from server.accounts.sessions import current_viewer
from server.accounts.users import LANGUAGES
from server.extensions import db
from server.routing import row_id
from sync.devices import DeviceRefused, change_device_state, find_device, settle_alert
from sync.models import Alert, Device, DeviceFetch, Site, Submission
from sync.scopes import scope_alerts, scope_devices, scope_submissions
from sync.settings import get_setting

blueprint = Blueprint("devices", __name__, url_prefix="/devices")

# A tablet that is given back or lost is drained first: it gets empty lists, and only then is shut out.
_SETTABLE = ("active", "drained", "lost")


@blueprint.get("/")
@permission("devices.read")
def list_page() -> ResponseReturnValue:
    viewer = current_viewer()
    devices = db.session.scalars(scope_devices(select(Device).order_by(Device.name), viewer)).all()
    silent = datetime.now(UTC) - timedelta(hours=get_setting(db.session(), "silent_after_hours"))
    alerts = db.session.scalars(_open_alerts()).all()
    return render_template(
        "devices/list.html", devices=devices, silent=silent, alerted={one.device_id for one in alerts}
    )


@blueprint.get("/<int:device_id>")
@permission("devices.read")
def page(device_id: int) -> ResponseReturnValue:
    device = _get_device(device_id)
    fetches = select(DeviceFetch).filter_by(device_id=device.id).order_by(DeviceFetch.last_at.desc()).limit(100)
    alerts = _open_alerts().where(Alert.device_id == device.id)
    return render_template(
        "devices/page.html", device=device, fetches=db.session.scalars(fetches).all(), settable=_SETTABLE,
        alerts=db.session.scalars(alerts).all(), counts=_count_states(device),
    )  # fmt: skip


@blueprint.get("/new")
@permission("devices.enrol")
def new() -> ResponseReturnValue:
    return _render_form()


@blueprint.post("/new")
@permission("devices.enrol")
def enrol() -> ResponseReturnValue:
    name, language = request.form.get("name", "").strip(), request.form.get("language", "")
    settings, viewer = current_app.extensions["teral_settings"], current_viewer()
    language = language if language in LANGUAGES else "fr"
    try:
        site = _get_site(request.form.get("site", 0, type=row_id))
        enrolment = enrol_device(db.session(), settings, site, name, datetime.now(UTC), language, by=viewer.actor_id)
    except DeviceRefused as refused:
        return _render_form(refused.word(gettext)), 422
    return _show_once(enrolment)


@blueprint.post("/<int:device_id>/rotate")
@permission("devices.enrol")
def rotate(device_id: int) -> ResponseReturnValue:
    settings = current_app.extensions["teral_settings"]
    device, actor_id = _get_device(device_id), current_viewer().actor_id
    return _show_once(rotate_credential(db.session(), settings, device, datetime.now(UTC), by=actor_id))


@blueprint.post("/<int:device_id>/revoke")
@permission("devices.enrol")
def revoke(device_id: int) -> ResponseReturnValue:
    device = _get_device(device_id)
    revoke_device(db.session(), device, datetime.now(UTC), by=current_viewer().actor_id)
    flash(gettext("The tablet is shut out from its next request on."))
    return redirect(url_for("devices.page", device_id=device.id))


@blueprint.post("/<int:device_id>/state")
@permission("devices.enrol")
def change_state(device_id: int) -> ResponseReturnValue:
    device, state = _get_device(device_id), request.form.get("state", "")
    if state not in _SETTABLE or device.state == "revoked":
        abort(400)
    change_device_state(db.session(), device, state, datetime.now(UTC), by=current_viewer().actor_id)
    flash(gettext("The tablet's state is changed."))
    return redirect(url_for("devices.page", device_id=device.id))


@blueprint.post("/alerts/<int:alert_id>/settle")
@permission("alerts.settle")
def settle(alert_id: int) -> ResponseReturnValue:
    alert = db.session.scalar(_open_alerts().where(Alert.id == alert_id)) or abort(404)
    settle_alert(db.session(), alert, current_viewer().actor_id, datetime.now(UTC))
    flash(gettext("The alert is settled."))
    return redirect(url_for("devices.page", device_id=alert.device_id) if alert.device_id else url_for("status.home"))


def _get_site(site_id: int | None) -> Site:
    site = db.session.get(Site, site_id) if site_id is not None else None
    if site is None:
        raise DeviceRefused("device_name")
    return site


def _get_device(device_id: int) -> Device:
    asked = select(Device).where(Device.id == device_id)
    return db.session.scalar(scope_devices(asked, current_viewer())) or abort(404)


def _open_alerts() -> Select[Alert]:
    return scope_alerts(select(Alert).where(Alert.settled_at.is_(None)).order_by(Alert.id.desc()), current_viewer())


def _count_states(device: Device) -> dict[str, int]:
    """The tablet's records by state, as far as the viewer may know of them."""
    counts = select(Submission.state, func.count().label("number")).where(Submission.device_id == device.id)
    rows = db.session.execute(scope_submissions(counts, current_viewer()).group_by(Submission.state))
    return {row.state: row.number for row in rows}


def _show_once(enrolment: Enrolment) -> ResponseReturnValue:
    """The code in this one answer, as a picture and as a sheet to print: neither can be asked for again."""
    # The library for PDF is loaded where a tablet is enrolled, which most processes never do.
    from server.accounts.enrolment_sheet import render_sheet

    return render_template(
        "devices/code_once.html", enrolment=enrolment, device=find_device(db.session(), enrolment.device),
        qr=base64.b64encode(render_qr_png(enrolment.settings)).decode(),
        sheet=base64.b64encode(render_sheet(enrolment)).decode(),
    )  # fmt: skip


def _render_form(problem: str | None = None) -> str:
    sites = db.session.scalars(select(Site).where(Site.closed_at.is_(None)).order_by(Site.name)).all()
    return render_template("devices/enrol.html", sites=sites, asked=request.form, problem=problem)
