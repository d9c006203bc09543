"""Administration of sites: list, add, change, close."""

from collections.abc import Mapping
from datetime import UTC, datetime

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import func, select

from server.accounts.permissions import permission
from server.accounts.sessions import current_viewer
from server.extensions import db
from sync.models import SITE_KINDS, Device, Site
from sync.sites import SiteDetails, SiteRefused, add_site, change_site

blueprint = Blueprint("sites", __name__, url_prefix="/sites")

_DETAILS = ("name", "kind", "region", "capacity", "languages", "phone")


@blueprint.get("/")
@permission("sites.manage")
def list_page() -> ResponseReturnValue:
    sites = db.session.scalars(select(Site).order_by(Site.name)).all()
    tablets = select(Device.site_id, func.count().label("number")).where(Device.state != "revoked")
    counts = {row.site_id: row.number for row in db.session.execute(tablets.group_by(Device.site_id))}
    return render_template("sites/list.html", sites=sites, tablets=counts)


@blueprint.get("/new")
@permission("sites.manage")
def new() -> ResponseReturnValue:
    return _render_form(None, {})


@blueprint.post("/new")
@permission("sites.manage")
def add() -> ResponseReturnValue:
    code, actor = request.form.get("code", "").strip().upper(), current_viewer().actor_id
    try:
        add_site(db.session(), code, _asked(), actor, datetime.now(UTC))
    except SiteRefused as refused:
        return _render_form(None, request.form.to_dict(), refused)
    flash(gettext("The site is added. Tablets get it with their next contact."))
    return redirect(url_for("sites.list_page"))


@blueprint.get("/<int:site_id>")
@permission("sites.manage")
def edit(site_id: int) -> ResponseReturnValue:
    site = db.session.get(Site, site_id) or abort(404)
    asked = {name: getattr(site, name) for name in _DETAILS} | {"closed": site.closed_at is not None}
    return _render_form(site, asked)


@blueprint.post("/<int:site_id>")
@permission("sites.manage")
def change(site_id: int) -> ResponseReturnValue:
    site = db.session.get(Site, site_id) or abort(404)
    closed, actor = "closed" in request.form, current_viewer().actor_id
    try:
        change_site(db.session(), site, _asked(), closed, actor, datetime.now(UTC))
    except SiteRefused as refused:
        db.session.rollback()
        return _render_form(site, request.form.to_dict(), refused)
    flash(gettext("The site is changed."))
    return redirect(url_for("sites.list_page"))


def _asked() -> SiteDetails:
    return SiteDetails(**{name: request.form.get(name, "").strip() for name in _DETAILS})


def _render_form(
    site: Site | None, asked: Mapping[str, object], refused: SiteRefused | None = None
) -> ResponseReturnValue:
    problem = refused.word(gettext) if refused else None
    page = render_template("sites/edit.html", site=site, asked=asked, kinds=SITE_KINDS, problem=problem)
    return page, 422 if refused else 200
