"""People: a search within the reader's rights, and one person with all that was said about them.

The search is a POST: names and telephone numbers do not belong into addresses and logs.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import joinedload

from server.accounts.permissions import note_reading, opens, permission, reads_first
from server.accounts.sessions import current_viewer
from server.extensions import db
from server.web.vocabularies import word_code
from sync.golden import Golden, order_of, read_golden
from sync.link_changes import find_readable, select_changes_of
from sync.link_decisions import list_decisions
from sync.link_queue import find_homes, scope_link_decisions
from sync.link_view import find_holding
from sync.lookup import LISTED, Description, Found, list_newest, look_up, tells_enough
from sync.models import Encounter, LinkDecision, PersonRecord
from sync.policy import Presented, Viewer, access, may, present
from sync.references import is_misread
from sync.scopes import scope_people

blueprint = Blueprint("people", __name__, url_prefix="/people")

_LONGEST = 200
_CHANGES = 5
# Property → how it is masked. A mask leaves sex, age band and language: without them nobody could be called.
_SHOWN = {
    "given_names": "name", "family_name": "name", "sex": None, "birth_date": "date", "age": "text", "age_band": None,
    "nationality": "text", "language": None, "birth_place": "name", "mother_name": "name", "phone": "number",
    "document_type": None, "document_issuer": "text", "document_number": "number",
}  # fmt: skip
PROPERTIES = tuple(_SHOWN)


@blueprint.get("/")
@permission("people.read")
@opens("D3")
def search_page() -> ResponseReturnValue:
    viewer = current_viewer()
    nobody = gettext("No record tells of a person yet.")
    return _render_list(list_newest(db.session(), viewer), viewer, Description(), nobody)


@blueprint.post("/")
@permission("people.read")
@opens("D3")
@reads_first
def search() -> ResponseReturnValue:
    viewer = current_viewer()
    asked = Description(*(request.form.get(name, "").strip()[:_LONGEST] for name in ("asked", "mother", "sex")))
    now = datetime.now(UTC)
    return _render_list(look_up(db.session(), viewer, asked, now), viewer, asked, _say_why_nobody(asked, now))


@blueprint.get("/<int:person_id>")
@permission("people.read")
@opens("D3")
def page(person_id: int) -> ResponseReturnValue:
    viewer = current_viewer()
    rows = list_records(PersonRecord.person_id == person_id, viewer)
    return render_person(person_id, rows) if rows else _lead_on(person_id, viewer)


def render_person(person_id: int, rows: Sequence[PersonRecord], problem: str | None = None) -> str:
    """The page of a person, by these records of theirs, which the viewer may read."""
    viewer = current_viewer()
    note_reading("person.read", f"person:{person_id}")
    found = select_changes_of(viewer, person_id, [one.home_id for one in rows])
    changes = db.session.scalars(found.limit(_CHANGES)).all()
    holding = find_holding(db.session(), rows) if may(viewer, "links.review") else {}
    return render_template(
        "people/page.html", person_id=person_id, reference=rows[0].reference, encounters=_list_encounters(rows, viewer),
        records=[(one, present_record(one, viewer)) for one in rows], golden=_present_golden(rows, viewer),
        decisions=_list_decisions(rows, viewer), problem=problem, properties=PROPERTIES, changes=changes,
        readable=find_readable(db.session(), viewer, changes), holding=holding,
    )  # fmt: skip


def list_records(condition: ColumnElement[bool], viewer: Viewer) -> list[PersonRecord]:
    """Those that the viewer may read, as they were made."""
    records = select(PersonRecord).where(condition).options(joinedload(PersonRecord.submission))
    return sorted(db.session.scalars(scope_people(records, viewer)), key=order_of)


def _lead_on(home_id: int, viewer: Viewer) -> ResponseReturnValue:
    """From the person that a record was before it was linked to the one that it belongs to now."""
    rows = list_records(PersonRecord.home_id == home_id, viewer) or abort(404)
    return redirect(url_for("people.page", person_id=rows[0].person_id))


def _present_golden(records: Sequence[PersonRecord], viewer: Viewer) -> dict[str, tuple[Presented, Golden]]:
    """What the person's records say together, as the viewer may see it; nothing where one record says all."""
    golden = read_golden(db.session(), records)
    if len(records) < 2 and not any(one.ground == "manual" for one in golden.values()):
        return {}
    shown = {name: golden[name] for name in _SHOWN if name in golden}
    return {name: (_word(_present(viewer, str(one.value), _SHOWN[name]), name), one) for name, one in shown.items()}


def present_record(record: PersonRecord, viewer: Viewer) -> dict[str, Presented]:
    """What the record says about the person, as the viewer may see it (class D3); blank properties are left out."""
    values = {name: getattr(record, name) for name in _SHOWN}
    return {
        name: _word(_present(viewer, str(value), _SHOWN[name]), name)
        for name, value in values.items()
        if value not in (None, "")
    }


def _present(viewer: Viewer, value: str, kind: str | None) -> Presented:
    if kind is None and access(viewer, "D3").reads:
        return Presented("shown", value)
    return present(viewer, "D3", value, kind or "text")


def _list_encounters(records: Sequence[PersonRecord], viewer: Viewer) -> list[tuple[Encounter, dict[str, Presented]]]:
    sources = {one.submission_id for one in records}
    found = db.session.scalars(select(Encounter).where(Encounter.submission_id.in_(sources)).order_by(Encounter.at))
    met = [one for one in found if any(_was_met(record, one) for record in records)]
    return [(one, _present_encounter(one, viewer)) for one in met]


def _was_met(record: PersonRecord, encounter: Encounter) -> bool:
    """Whether a meeting is of this person: one of everybody in the submission, or of their own turn of a repeat."""
    of_record, of_encounter = f"{record.path}/", f"{encounter.path}/"
    nested = of_record.startswith(of_encounter) or of_encounter.startswith(of_record)
    return record.submission_id == encounter.submission_id and nested


def _list_decisions(records: Any, viewer: Viewer) -> list[tuple[LinkDecision, tuple[int, int] | None]]:
    """What people decided about these records and nobody undid, with the pair that each was about."""
    named = [one for one in list_decisions(db.session(), [row.reference for row in records]) if not one.undone_at]
    readable = select(LinkDecision).where(LinkDecision.id.in_([one.id for one in named]))
    return add_homes(db.session.scalars(scope_link_decisions(readable, viewer).order_by(LinkDecision.id.desc())).all())


def add_homes(decisions: Sequence[LinkDecision]) -> list[tuple[LinkDecision, tuple[int, int] | None]]:
    """Decisions with the pair that each was about, so that a line of them leads there."""
    return list(zip(decisions, find_homes(db.session(), decisions), strict=True))


def _present_encounter(encounter: Encounter, viewer: Viewer) -> dict[str, Presented]:
    names = ("kind", "direction", "origin", "destination", "outcome")
    values = {name: getattr(encounter, name) for name in names}
    return {name: _word(present(viewer, "D2", value), name) for name, value in values.items() if value}


def _word(value: Presented, name: str) -> Presented:
    """In words where it may be read; of a mask or of nothing there is no word."""
    return Presented("shown", word_code(value.text, name)) if value.kind == "shown" else value


def _say_why_nobody(asked: Description, now: datetime) -> str:
    words = gettext("Nobody fits.")
    if is_misread(asked.text):
        words = gettext(
            "There is a slip in this reference: its last two digits do not fit. Have it read out once more."
        )
    elif not tells_enough(asked, now):
        words = gettext("Give a name, a reference or a number too: nobody is found by an age, a birth or a sex alone.")
    return str(words)


def _render_list(found: Sequence[Found], viewer: Viewer, asked: Description, nobody: str) -> str:
    rows = [(one, present_record(one.record, viewer)) for one in found]
    if rows:
        note_reading("people.searched", "people")
    return render_template(
        "people/list.html", rows=rows, asked=asked, nobody=nobody, plain=access(viewer, "D3").reads_plainly,
        sexes=[(code, word_code(code, "sex")) for code in ("2", "1")], fullest=len(rows) >= LISTED,
        best=max([0.0, *(one.bits for one in found if one.bits is not None)]),
    )  # fmt: skip
