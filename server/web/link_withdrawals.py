"""Checks of links and questions to sites, taken back by who made them, or by an administrator (audit.py)."""

from datetime import UTC, datetime

from flask import Blueprint, abort, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from forms.errors import FormsError
from server.accounts.permissions import permission
from server.accounts.sessions import current_viewer
from server.extensions import db
from sync.link_checks import find_check, withdraw_check
from sync.link_inquiries import find_withdrawable, withdraw_inquiry
from sync.policy import may
from sync.registry import lock_registry

blueprint = Blueprint("link_withdrawals", __name__, url_prefix="/links")


@blueprint.post("/checks/<int:home_id>/<int:rival_id>/<int:user_id>/undo")
@permission("links.withdraw")
def check(home_id: int, rival_id: int, user_id: int) -> ResponseReturnValue:
    lock_registry(db.session())
    viewer = current_viewer()
    found = find_check(db.session(), viewer, home_id, rival_id, user_id) or abort(404)
    try:
        withdraw_check(db.session(), found, viewer.actor_id, datetime.now(UTC))
    except FormsError as refused:
        return _say(refused.word(gettext))
    return _say(gettext("The check is taken back. The link awaits it again."))


@blueprint.post("/inquiries/<int:inquiry_id>/undo")
@permission("links.withdraw")
def inquiry(inquiry_id: int) -> ResponseReturnValue:
    viewer = current_viewer()
    found = find_withdrawable(db.session(), viewer, inquiry_id) or abort(404)
    try:
        withdraw_inquiry(db.session(), found, viewer.actor_id, datetime.now(UTC))
    except FormsError as refused:
        return _say(refused.word(gettext))
    return _say(gettext("The question is taken back. The site is not asked any more."))


def _say(words: str) -> ResponseReturnValue:
    """Back to the page that lists what can be taken back."""
    flash(words)
    reviews = may(current_viewer(), "links.review")
    return redirect(url_for("links.decisions" if reviews else "audit.list_page"))
