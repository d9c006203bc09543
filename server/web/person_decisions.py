"""A reviewer's word about one person, from their page: records that are of somebody else, a value that is wrong.

Two records at a time are links.py's; every word is undone there.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from forms.errors import FormsError
from server.accounts.permissions import note_reading, opens, permission
from server.accounts.sessions import current_viewer
from server.extensions import db
from server.web.people import PROPERTIES, list_records, present_record, render_person
from server.web.vocabularies import list_codes
from sync.link_decisions import LinkDecisionRefused, Word, set_golden_value, split_person, unlink_record
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


@blueprint.get("/<int:person_id>/value")
@permission("links.review")
@opens("D3")
def value_page(person_id: int) -> ResponseReturnValue:
    return _render_value(person_id, _get_records(person_id), _get_property())


@blueprint.post("/<int:person_id>/value")
@permission("links.review")
def set_value(person_id: int) -> ResponseReturnValue:
    """Let a value stand for the person whatever records say; it is undone as every decision is."""
    records, name = _get_records(person_id), _get_property()
    try:
        set_golden_value(db.session(), current_viewer(), records[0].reference, name, _read_value(name), _word())
    except FormsError as refused:
        db.session.rollback()
        return _render_value(person_id, _get_records(person_id), name, refused.word(gettext)), 422
    flash(gettext("The value stands for this person. The decision can be undone below."))
    return redirect(url_for("people.page", person_id=person_id))


def _get_property() -> str:
    name = request.values.get("name", "")
    return name if name in PROPERTIES else abort(404)


def _read_value(name: str) -> str:
    value, codes = request.form.get("value", ""), list_codes(name)
    if codes and value not in codes:
        raise LinkDecisionRefused("link_value_unreadable")
    return value


def _render_value(person_id: int, records: Sequence[PersonRecord], name: str, problem: str | None = None) -> str:
    note_reading("person.read", f"person:{person_id}")
    said = [(one, present_record(one, current_viewer()).get(name)) for one in records]
    return render_template(
        "people/value.html", person_id=person_id, reference=records[0].reference, name=name, problem=problem,
        said=said, codes=list_codes(name), given=request.form,
    )  # fmt: skip


def _get_records(person_id: int) -> list[PersonRecord]:
    return list_records(PersonRecord.person_id == person_id, current_viewer()) or abort(404)


def _part(known: set[str], chosen: Sequence[str]) -> LinkDecision:
    session, viewer, word = db.session(), current_viewer(), _word()
    others = [one for one in request.form.getlist("shown") if one not in chosen]
    if not {*chosen, *others} <= known:
        raise LinkDecisionRefused("link_person_changed")
    if len(chosen) == 1:
        return unlink_record(session, viewer, chosen[0], others, word)
    return split_person(session, viewer, chosen, others, word)


def _word() -> Word:
    return Word(current_viewer().actor_id, datetime.now(UTC), request.form.get("reason", ""))


def _refuse(person_id: int, refused: FormsError) -> ResponseReturnValue:
    db.session.rollback()
    return render_person(person_id, _get_records(person_id), problem=refused.word(gettext)), 422
