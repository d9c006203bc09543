"""The journal of who did or looked at what. It names rows by kind and id and never holds an answer."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from sync.models import AuditEvent
from sync.policy import Viewer
from sync.scopes import scope_audit


def add_audit_event(
    session: Session, actor_id: int | None, action: str, target: str, now: datetime, **details: Any
) -> AuditEvent:
    """Write one line of the journal; `details` holds codes and counts only."""
    event = AuditEvent(at=now, actor_id=actor_id, action=action, target=target, details=details)
    session.add(event)
    session.flush()
    return event


def select_audit_events(viewer: Viewer, action: str | None = None) -> Select[AuditEvent]:
    """The journal as this viewer may read it, newest first."""
    events = select(AuditEvent).order_by(AuditEvent.id.desc())
    return scope_audit(events.where(AuditEvent.action == action) if action else events, viewer)
