"""A reviewer's word about one person, from that person's page: records that are of somebody else.

Two records at a time are links.py's; every word is undone there.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from forms.errors import FormsError
from server.accounts.permissions import permission
from server.accounts.sessions import current_viewer
from server.extensions import db
from server.web.people import list_records, render_person
from sync.link_decisions import LinkDecisionRefused, Word, split_person, unlink_record
from sync.models import LinkDecision, PersonRecord

blueprint = Blueprint("person_decisions", __name__, url_prefix="/people")


@blueprint.post("/<int:person_id>/part")
@permission("links.review")
def part(person_id: int) -> ResponseReturnValue:
    """Take the chosen records out of their person: one for itself, several as one person."""
    known = {one.reference for one in _get_records(person_id)}
    try:
        decision = _part(known, request.form.getlist("record"))
    except FormsError as refused:
        return _refuse(person_id, refused)
    if decision.needs_second:
        flash(gettext("The records are taken apart as soon as a second person has confirmed it."))
    else:
        flash(gettext("The records are taken apart. The decision can be undone below."))
    return redirect(url_for("people.page", person_id=person_id))


def _get_records(person_id: int) -> list[PersonRecord]:
    return list_records(PersonRecord.person_id == person_id, current_viewer()) or abort(404)


def _part(known: set[str], chosen: Sequence[str]) -> LinkDecision:
    session, viewer, word = db.session(), current_viewer(), _word()
    others = [one for one in request.form.getlist("shown") if one not in chosen]
    if not {*chosen, *others} <= known:
        raise LinkDecisionRefused("link_person_changed")
    if len(chosen) == 1:
        return unlink_record(session, viewer, chosen[0], word)
    return split_person(session, viewer, chosen, others, word)


def _word() -> Word:
    return Word(current_viewer().actor_id, datetime.now(UTC), request.form.get("reason", ""))


def _refuse(person_id: int, refused: FormsError) -> ResponseReturnValue:
    db.session.rollback()
    return render_person(person_id, _get_records(person_id), problem=refused.word(gettext)), 422
