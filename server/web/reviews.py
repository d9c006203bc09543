"""Comments on a submission, and the mark that it is to be checked: what programs read and write as well."""

from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from server.accounts.permissions import permission
from server.accounts.sessions import current_viewer
from server.extensions import db
from server.web.addresses import filtered_url
from server.web.submissions import get_submission, page
from sync.browsing import list_edits
from sync.reviews import ReviewRefused, add_comment, change_review_state

blueprint = Blueprint("reviews", __name__, url_prefix="/submissions")


@blueprint.post("/<int:submission_id>/comments")
@permission("submissions.read")
def comment(submission_id: int) -> ResponseReturnValue:
    viewer, submission = current_viewer(), get_submission(submission_id)
    root = list_edits(db.session(), viewer, submission)[0]
    try:
        add_comment(db.session(), root.id, request.form.get("body", ""), viewer.actor_id, datetime.now(UTC))
    except ReviewRefused as refused:
        return page(submission_id, problem=refused.word(gettext)), 422
    flash(gettext("Your comment is kept."))
    return _back(submission_id)


@blueprint.post("/<int:submission_id>/mark")
@permission("submissions.decide")
def mark(submission_id: int) -> ResponseReturnValue:
    submission, state = get_submission(submission_id), request.form.get("mark") or None
    now = datetime.now(UTC)
    try:
        change_review_state(db.session(), submission, state, current_viewer().actor_id, "", now)
    except ReviewRefused as refused:
        return page(submission_id, problem=refused.word(gettext)), 422
    flash(gettext("The mark is changed."))
    return _back(submission_id)


def _back(submission_id: int) -> ResponseReturnValue:
    return redirect(filtered_url("submissions.page", submission_id=submission_id))
