"""The audit journal, page by page: all of it for auditors and administrators, their own lines for some others."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from server.accounts.permissions import permission
from server.accounts.sessions import current_viewer
from server.extensions import db
from server.routing import row_id
from server.web.paging import read_page
from sync.audit import select_audit_events
from sync.models import Actor, AuditEvent

blueprint = Blueprint("audit", __name__, url_prefix="/audit")


@blueprint.get("/")
@permission("audit.read")
def list_page() -> ResponseReturnValue:
    events = select_audit_events(current_viewer(), request.args.get("action"))
    page = read_page(events, AuditEvent.id, request.args.get("before", type=row_id))
    names = _list_names({one.actor_id for one in page.rows})
    return render_template("audit.html", page=page, names=names, action=request.args.get("action"))


def _list_names(actors: set[int | None]) -> dict[int, str]:
    found = db.session.scalars(select(Actor).where(Actor.id.in_(actors - {None})))
    return {one.id: one.display_name for one in found}
