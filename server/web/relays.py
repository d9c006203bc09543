"""Relays: list, enrolling, the settings that are shown once, which sites talk to one, a new password, shutting out.

How far each has come stands on the first page; what goes to and fro is sync/relaying/'s knowledge.
"""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import select

from forms.errors import FormsError
from server.accounts.permissions import permission
from server.accounts.relays import RelayAccess, enrol, find_shut_out, get_account, renew_password, shut_out
from server.accounts.sessions import current_viewer
from server.extensions import db
from server.qr import draw_qr
from server.routing import row_id
from sync.models import Relay, RelayedSite, Site
from sync.relaying.enrolment import place_sites
from sync.relaying.overview import list_relays
from sync.sites import SiteDetails, add_site

blueprint = Blueprint("relays", __name__, url_prefix="/relays")


@blueprint.get("/")
@permission("relays.manage")
def list_page() -> ResponseReturnValue:
    return render_template("relays/list.html", relays=list_relays(db.session(), None), out=find_shut_out(db.session()))


@blueprint.get("/new")
@permission("relays.manage")
def new() -> ResponseReturnValue:
    return _render_form({})


@blueprint.post("/new")
@permission("relays.manage")
def add() -> ResponseReturnValue:
    settings, actor_id, now = current_app.extensions["teral_settings"], current_viewer().actor_id, datetime.now(UTC)
    try:
        site = db.session.get(Site, request.form.get("at", 0, type=row_id)) or _add_place(actor_id, now)
        access = enrol(db.session(), settings, site, _asked_sites(), actor_id, now)
    except FormsError as refused:
        db.session.rollback()
        return _render_form(request.form.to_dict(), refused)
    return _show_once(access)


@blueprint.get("/<int:site_id>")
@permission("relays.manage")
def page(site_id: int) -> ResponseReturnValue:
    relay = _get_relay(site_id)
    placed = set(db.session.scalars(select(RelayedSite.site_id).filter_by(relay_id=site_id)))
    account, sites = get_account(db.session(), relay), _list_sites(site_id)
    return render_template("relays/page.html", relay=relay, account=account, sites=sites, placed=placed)


@blueprint.post("/<int:site_id>/sites")
@permission("relays.manage")
def place(site_id: int) -> ResponseReturnValue:
    relay = _get_relay(site_id)
    place_sites(db.session(), relay, _asked_sites(), datetime.now(UTC), current_viewer().actor_id)
    flash(gettext("The relay gets the lists of these sites with its next contact, and those of no others."))
    return redirect(url_for("relays.page", site_id=site_id))


@blueprint.post("/<int:site_id>/password")
@permission("relays.manage")
def renew(site_id: int) -> ResponseReturnValue:
    settings, actor_id = current_app.extensions["teral_settings"], current_viewer().actor_id
    return _show_once(renew_password(db.session(), settings, _get_relay(site_id), actor_id, datetime.now(UTC)))


@blueprint.post("/<int:site_id>/revoke")
@permission("relays.manage")
def revoke(site_id: int) -> ResponseReturnValue:
    shut_out(db.session(), _get_relay(site_id), current_viewer().actor_id, datetime.now(UTC))
    flash(gettext("The relay is shut out from its next request on."))
    return redirect(url_for("relays.page", site_id=site_id))


def _get_relay(site_id: int) -> Relay:
    return db.session.get(Relay, site_id) or abort(404)


def _add_place(actor_id: int, now: datetime) -> Site:
    """A place that was no site yet becomes one, of the kind that tablets' forms call a relay."""
    asked = {name: request.form.get(name, "").strip() for name in ("code", "name", "region")}
    code = asked.pop("code").upper()
    return add_site(db.session(), code, SiteDetails(kind="relay", **asked), actor_id, now)


def _asked_sites() -> list[Site]:
    ids = request.form.getlist("sites", type=row_id)
    return list(db.session.scalars(select(Site).where(Site.id.in_(ids)).order_by(Site.id)))


def _list_sites(relay_id: int | None = None) -> list[tuple[Site, Site | None]]:
    """Every open site, and whose relay its tablets talk to now.

    Also the closed ones behind this relay: their tablets may still hold records, which would else become the relay's.
    """
    behind = {row.site_id: row.relay_id for row in db.session.scalars(select(RelayedSite))}
    sites = {one.id: one for one in db.session.scalars(select(Site).order_by(Site.name))}
    listed = [one for one in sites.values() if one.closed_at is None or behind.get(one.id, 0) == relay_id]
    return [(one, sites.get(behind.get(one.id, 0))) for one in listed]


def _show_once(access: RelayAccess) -> ResponseReturnValue:
    qr = base64.b64encode(draw_qr(access.text)).decode()
    return render_template("relays/once.html", access=access, qr=qr)


def _render_form(asked: Mapping[str, object], refused: FormsError | None = None) -> ResponseReturnValue:
    sites, taken = _list_sites(), set(db.session.scalars(select(Relay.site_id)))
    free = [(one.id, f"{one.name} ({one.code})") for one, _ in sites if one.id not in taken]
    page = render_template(
        "relays/enrol.html", asked=asked, sites=sites, free=[("new", gettext("– a new place –")), *free],
        placed=set(request.form.getlist("sites", type=row_id)), problem=refused.word(gettext) if refused else None,
    )  # fmt: skip
    return page, 422 if refused else 200
