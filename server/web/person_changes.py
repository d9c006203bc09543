"""What became of links, page by page: of the whole registry, and of one person. Within what the reader may read."""

from typing import Any

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Select

from server.accounts.permissions import note_reading, opens, permission
from server.accounts.sessions import current_viewer
from server.extensions import db
from server.routing import row_id
from server.web.paging import Page, read_page
from server.web.people import list_records
from sync.link_changes import find_readable, select_changes, select_changes_of
from sync.models import LinkChange, PersonRecord

blueprint = Blueprint("person_changes", __name__, url_prefix="/people")


@blueprint.get("/changes")
@permission("people.read")
@opens("D3")
def list_page() -> ResponseReturnValue:
    page = _read_page(select_changes(current_viewer()))
    if page.rows:
        note_reading("people.searched", "people")
    return _render(page)


@blueprint.get("/<int:person_id>/changes")
@permission("people.read")
@opens("D3")
def page(person_id: int) -> ResponseReturnValue:
    viewer = current_viewer()
    records = list_records(PersonRecord.person_id == person_id, viewer) or abort(404)
    note_reading("person.read", f"person:{person_id}")
    found = select_changes_of(viewer, person_id, [one.home_id for one in records])
    return _render(_read_page(found), person_id=person_id, reference=records[0].reference)


def _read_page(found: Select[LinkChange]) -> Page:
    return read_page(found, LinkChange.id, request.args.get("before", type=row_id))


def _render(page: Page, **person: Any) -> str:
    readable = find_readable(db.session(), current_viewer(), page.rows)
    return render_template("people/changes.html", page=page, readable=readable, **person)
