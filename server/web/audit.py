"""The audit journal, page by page: all of it for auditors and administrators, their own lines for some others."""

from collections.abc import Sequence

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from server.accounts.permissions import permission
from server.accounts.sessions import current_viewer
from server.extensions import db
from server.routing import row_id
from server.web.paging import read_page
from sync.audit import select_audit_events
from sync.link_checks import find_check
from sync.link_inquiries import find_withdrawable
from sync.models import Actor, AuditEvent
from sync.policy import may

blueprint = Blueprint("audit", __name__, url_prefix="/audit")


@blueprint.get("/")
@permission("audit.read")
def list_page() -> ResponseReturnValue:
    events = select_audit_events(current_viewer(), request.args.get("action"))
    page = read_page(events, AuditEvent.id, request.args.get("before", type=row_id))
    names = _list_names({one.actor_id for one in page.rows})
    action = request.args.get("action")
    return render_template("audit.html", page=page, names=names, action=action, ways_back=_list_ways_back(page.rows))


def _list_ways_back(events: Sequence[AuditEvent]) -> dict[int, str]:
    """Of the reviewers' acts those that stand and that the reader may take back, with the address that does it."""
    viewer, found = current_viewer(), {}
    if not may(viewer, "links.withdraw_others"):
        return {}
    for one in events:
        kind, *ids = one.target.split(":")
        if one.action == "link.checked" and kind == "link_check":
            home, rival = map(int, ids)
            if find_check(db.session(), viewer, home, rival, one.actor_id or 0):
                address = url_for("link_withdrawals.check", home_id=home, rival_id=rival, user_id=one.actor_id)
                found[one.id] = address
        elif one.action == "link.asked":
            inquiry = find_withdrawable(db.session(), viewer, int(ids[0]))
            if inquiry and inquiry.is_open:
                found[one.id] = url_for("link_withdrawals.inquiry", inquiry_id=inquiry.id)
    return found


def _list_names(actors: set[int | None]) -> dict[int, str]:
    found = db.session.scalars(select(Actor).where(Actor.id.in_(actors - {None})))
    return {one.id: one.display_name for one in found}
