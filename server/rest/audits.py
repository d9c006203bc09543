"""The journal of who did or looked at what, as far as the caller may read it."""

from typing import Any

from server.accounts.permissions import permission
from server.accounts.sessions import current_viewer
from server.extensions import db
from server.rest.extended import AUDIT
from server.rest.queries import Instant, PartQuery, Text
from server.rest.shapes import AuditShape
from server.rest.speech import answers, asks, blueprint
from sync.audit import select_audit_events
from sync.models import AuditEvent

_MOST = 10_000


class JournalQuery(PartQuery):
    action = Text("Only acts of this name.")
    start = Instant("Only what was done then or later.")
    end = Instant("Only what was done then or earlier.")


@blueprint.get("/audits")
@permission("audit.read")
@answers(AuditShape, many=True, more=AUDIT)
@asks(JournalQuery)
def audits(asked: dict[str, Any]) -> Any:
    found = select_audit_events(current_viewer(), asked["action"])
    if asked["start"] is not None:
        found = found.where(AuditEvent.at >= asked["start"])
    if asked["end"] is not None:
        found = found.where(AuditEvent.at <= asked["end"])
    return db.session.scalars(found.offset(asked["offset"]).limit(_MOST if asked["limit"] is None else asked["limit"]))
