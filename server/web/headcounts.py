"""Head-counts of events: which close, which do not, who should look, and what supervisors said of a gap."""

from datetime import UTC, datetime

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import select

from server.accounts.models import User
from server.accounts.permissions import permission
from server.accounts.sessions import current_viewer
from server.extensions import db
from sync.models import Site
from sync.programme.headcount_rows import (
    EVENTS,
    HeadcountRefused,
    Standing,
    explain_gap,
    find_headcount,
    list_arrivals,
    list_explanations,
    list_headcounts,
    withdraw_explanations,
)

blueprint = Blueprint("headcounts", __name__, url_prefix="/headcounts")

# What asks for somebody comes first.
_STATES = ("open", "young", "explained", "closed")


@blueprint.get("/")
@permission("headcounts.read")
def list_page() -> str:
    found = list_headcounts(db.session(), current_viewer(), datetime.now(UTC))
    found.sort(key=lambda one: _STATES.index(one.state))
    return render_template("headcounts/list.html", found=found, **find_lookers())


@blueprint.get("/<event>")
@permission("headcounts.read")
def page(event: str) -> str:
    return _render(get_standing(event))


@blueprint.post("/<event>/explanations")
@permission("headcounts.explain")
def explain(event: str) -> ResponseReturnValue:
    standing, now = get_standing(event), datetime.now(UTC)
    asked = request.form
    try:
        explain_gap(
            db.session(), standing.count, asked.get("numbers", ""), asked.get("reason", ""),
            current_viewer().actor_id, now,
        )  # fmt: skip
    except HeadcountRefused as refused:
        db.session.rollback()
        return _render(get_standing(event), refused.word(gettext)), 422
    flash(gettext("Your explanation is noted."))
    return redirect(url_for("headcounts.page", event=event))


@blueprint.post("/<event>/withdrawals")
@permission("headcounts.explain")
def withdraw(event: str) -> ResponseReturnValue:
    withdraw_explanations(db.session(), get_standing(event).count, current_viewer().actor_id, datetime.now(UTC))
    flash(gettext("The explanation is withdrawn."))
    return redirect(url_for("headcounts.page", event=event))


def get_standing(event: str) -> Standing:
    return find_headcount(db.session(), current_viewer(), event, datetime.now(UTC)) or abort(404)


def find_lookers() -> dict[str, object]:
    """The sites by code, and the codes of those that have a supervisor of their own: the others' gaps go to the
    national one.
    """
    supervised = select(Site.code).join(User, User.site_id == Site.id)
    mine = supervised.where(User.role == "site_supervisor", User.disabled_at.is_(None))
    sites = {one.code: one for one in db.session.scalars(select(Site))}
    return {"sites": sites, "supervised": set(db.session.scalars(mine))}


def _render(standing: Standing, problem: str | None = None) -> str:
    session, viewer = db.session(), current_viewer()
    return render_template(
        "headcounts/page.html", one=standing.count, state=standing.state, problem=problem, events=EVENTS,
        arrivals=list_arrivals(session, viewer, standing.count.uuid),
        explanations=list_explanations(session, standing.count.uuid), reason=request.form.get("reason", ""),
        **find_lookers(),
    )  # fmt: skip
