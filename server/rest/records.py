"""One record as `/v1` shows it: metadata only, of which what tells about tablets and users is for readers of D7."""

from collections.abc import Iterator
from typing import Any

import orjson
from flask import Response
from sqlalchemy import Select
from sqlalchemy.orm import Session

from server.extensions import db
from server.rest.extended import RECORD
from server.rest.shapes import SubmissionShape
from server.rest.speech import More, gather, is_extended
from sync.heads import Head, list_actors, make_heads
from sync.models import Submission
from sync.policy import Viewer, access

_AT_ONCE = 500
_ACTIONS = {"received": "submission.create", "files_received": "submission.attachment.update"}


def show_head(head: Head, viewer: Viewer) -> dict[str, Any]:
    shown, tells = show_row(head.row, head.actor_id, viewer), access(viewer, "D7").reads_plainly
    return shown | {
        "device_id": head.collect_id if tells else None,
        "user_agent": (head.user_agent if tells else None) or "",
        "instance_id": head.instance_id,
        "created_at": head.created_at,
        "updated_at": head.updated_at,
        "review_state": head.review_state,
        "current_version": shown | {"current": True},
    }


def show_row(row: Submission, actor_id: int | None, viewer: Viewer) -> dict[str, Any]:
    tells = access(viewer, "D7").reads_plainly
    return {
        "instance_id": row.instance_id,
        "created_at": row.received_at,
        # 0 for what nobody known sent: programs expect a number.
        "submitter_id": actor_id or 0,
        "device_id": row.collect_id if tells else None,
        "user_agent": (row.user_agent if tells else None) or "",
        "form_version": row.version,
    }


def show_version(session: Session, row: Submission, chain: list[Submission], viewer: Viewer) -> dict[str, Any]:
    actor_id = list_actors(session, [row]).get(row.id)
    return show_row(row, actor_id, viewer) | {"current": row is chain[-1]}


def stream_heads(found: Select[Submission], viewer: Viewer, offset: int, limit: int | None) -> Response:
    """A JSON array that is written while it is read: a form may have a million records."""
    more = RECORD if is_extended() else None
    parts = _write_array(found, viewer, offset, limit, Session(db.engine), more)
    return Response(gather(parts), mimetype="application/json")


def _write_array(
    found: Select[Submission], viewer: Viewer, offset: int, limit: int | None, session: Session, more: More | None
) -> Iterator[bytes]:
    shape, comma, last = SubmissionShape(many=True), b"[", None
    with session:
        while limit is None or limit > 0:
            size = _AT_ONCE if limit is None else min(limit, _AT_ONCE)
            page = found if last is None else found.where(Submission.id < last)
            rows = list(session.scalars(page.offset(offset if last is None else 0).limit(size)))
            shown = [show_head(head, viewer) for head in make_heads(session, rows)]
            told = shape.dump(shown)
            if more is not None:
                more.add(session, viewer, shown, told)
            for one in told:
                yield comma + orjson.dumps(one)
                comma = b","
            if len(rows) < size:
                break
            last, limit = rows[-1].id, limit - len(rows) if limit is not None else None
            session.expunge_all()
    yield b"]" if comma == b"," else b"[]"


def list_events(chain: list[Submission]) -> list[dict[str, Any]]:
    """What happened to a record and its edits, newest first."""
    found = [
        {
            "actor_id": event.actor_id,
            "action": _name_of(event.kind, row),
            "target": row.instance_id,
            "details": {"instanceId": row.instance_id, **event.details},
            "at": event.at,
        }
        for row in chain
        for event in row.events
    ]
    return sorted(found, key=lambda one: one["at"], reverse=True)


def _name_of(kind: str, row: Submission) -> str:
    if kind == "received" and row.deprecated_id is not None:
        return "submission.update.version"
    return _ACTIONS.get(kind, f"submission.{kind}")
