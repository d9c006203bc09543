"""A supervisor's word about one submission: judge it again, accept it, reject it; always with the way back open."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from server.accounts.permissions import permission
from server.accounts.sessions import current_viewer
from server.extensions import db
from server.web.addresses import filtered_url
from server.web.submissions import get_submission, page
from sync.quarantine import DecisionRefused, accept, reject, replay

blueprint = Blueprint("decisions", __name__, url_prefix="/submissions")

_VERBS: dict[str, Callable[..., Any]] = {"replay": replay, "accept": accept, "reject": reject}


@blueprint.post("/<int:submission_id>/decisions")
@permission("submissions.decide")
def decide(submission_id: int) -> ResponseReturnValue:
    submission = get_submission(submission_id)
    verb = _VERBS.get(request.form.get("kind", "")) or abort(400)
    try:
        verb(db.session(), submission, current_viewer().actor_id, request.form.get("reason", ""), datetime.now(UTC))
    except DecisionRefused as refused:
        db.session.rollback()
        return page(submission_id, problem=refused.word(gettext)), 422
    flash(gettext("Your decision is noted. The record is judged in a moment."))
    return redirect(filtered_url("submissions.page", submission_id=submission_id))
