"""The journal of who did or looked at what, as far as the caller may read it."""

from datetime import UTC, datetime
from typing import Any

from flask import request

from server.accounts.permissions import permission
from server.accounts.sessions import current_viewer
from server.extensions import db
from server.rest.extended import AUDIT
from server.rest.problems import Problem
from server.rest.shapes import AuditShape
from server.rest.speech import answers, blueprint, read_number
from sync.audit import select_audit_events
from sync.models import AuditEvent

_MOST = 10_000


@blueprint.get("/audits")
@permission("audit.read")
@answers(AuditShape, many=True, more=AUDIT)
def audits() -> Any:
    found = select_audit_events(current_viewer(), request.args.get("action"))
    start, end = _read_moment("start"), _read_moment("end")
    if start is not None:
        found = found.where(AuditEvent.at >= start)
    if end is not None:
        found = found.where(AuditEvent.at <= end)
    limit = read_number("limit")
    return db.session.scalars(found.offset(read_number("offset") or 0).limit(_MOST if limit is None else limit))


def _read_moment(name: str) -> datetime | None:
    text = request.args.get(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Problem(400.8, field=name, reason="ISO 8601") from error
