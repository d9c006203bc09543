"""What reviewers ask a site about its own records, and its answers. The task itself stands on the site's first page."""

from datetime import UTC, datetime

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from forms.errors import FormsError
from server.accounts.permissions import note_reading, permission
from server.accounts.sessions import current_viewer
from server.extensions import db
from server.web.people import present_record
from sync.link_inquiries import ANSWERS, answer_inquiry, find_inquiry
from sync.link_view import find_record
from sync.models import LinkInquiry

blueprint = Blueprint("inquiries", __name__, url_prefix="/inquiries")


@blueprint.get("/<int:inquiry_id>")
@permission("links.answer")
def page(inquiry_id: int) -> ResponseReturnValue:
    return _render(_get_inquiry(inquiry_id))


@blueprint.post("/<int:inquiry_id>")
@permission("links.answer")
def answer(inquiry_id: int) -> ResponseReturnValue:
    inquiry, given, note = _get_inquiry(inquiry_id), request.form.get("answer", ""), request.form.get("note", "")
    try:
        answer_inquiry(db.session(), inquiry, given, note, current_viewer().actor_id, datetime.now(UTC))
    except FormsError as refused:
        db.session.rollback()
        return _render(_get_inquiry(inquiry_id), refused.word(gettext)), 422
    flash(gettext("Thank you. Whoever asked sees your answer."))
    return redirect(url_for("status.home"))


def _get_inquiry(inquiry_id: int) -> LinkInquiry:
    return find_inquiry(db.session(), current_viewer(), inquiry_id) or abort(404)


def _render(inquiry: LinkInquiry, problem: str | None = None) -> str:
    viewer = current_viewer()
    record = find_record(db.session(), viewer, inquiry.home_id) or abort(404)
    note_reading("person.read", f"person:{record.person_id}")
    return render_template(
        "links/inquiry.html", inquiry=inquiry, record=record, said=present_record(record, viewer), problem=problem,
        answers=ANSWERS,
    )  # fmt: skip
