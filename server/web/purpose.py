"""For what a reader opens identities: asked of those who do not work with them every day, and noted in the journal."""

from datetime import UTC, datetime

from flask import Blueprint, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue

from server.accounts.permissions import LOGGED_IN, permission
from server.accounts.sessions import PURPOSE_TIME, current_viewer, state_purpose
from server.extensions import db
from server.web.login import safe_target
from server.web.navigation import landing_page
from sync.audit import add_audit_event
from sync.policy import PURPOSES

blueprint = Blueprint("purpose", __name__, url_prefix="/purpose")


@blueprint.get("/")
@permission(LOGGED_IN)
def ask() -> ResponseReturnValue:
    minutes = PURPOSE_TIME.total_seconds() / 60
    target = safe_target(request.args.get("next"))
    return render_template("purpose.html", purposes=PURPOSES, minutes=minutes, next=target)


@blueprint.post("/")
@permission(LOGGED_IN)
def state() -> ResponseReturnValue:
    viewer, now = current_viewer(), datetime.now(UTC)
    purpose = request.form.get("purpose", "")
    if purpose not in PURPOSES:
        abort(400)
    state_purpose(purpose, now)
    add_audit_event(db.session(), viewer.actor_id, "purpose.stated", f"actor:{viewer.actor_id}", now, purpose=purpose)
    return redirect(safe_target(request.form.get("next")) or landing_page(viewer.role))
