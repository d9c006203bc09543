"""Submissions: the filtered list, its export, one submission with everything that happened to it, its files.

What a supervisor decides about one is decisions.py.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flask import Blueprint, Response, abort, render_template, request, stream_with_context
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from forms.errors import FormsError
from server.accounts.permissions import note_reading, permission
from server.accounts.sessions import current_viewer
from server.extensions import attachment_store, db
from server.i18n import select_language
from server.keys import current_keys
from server.routing import row_id
from server.web.answers import Section, present_answers, shows_personal_data
from server.web.headers import FILE_POLICY, as_download
from server.web.paging import read_page
from server.web.raw_xml import withhold
from server.web.reading import list_files, may_open, may_read_raw, read_content
from server.web.tables import stream_csv
from server.web.timeline import list_happenings
from server.words import label_path
from sync.browsing import (
    Filters,
    find_neighbours,
    find_submission,
    list_edits,
    list_exportable,
    list_twins,
    select_submissions,
)
from sync.models import SUBMISSION_STATES, Device, Form, Site, Submission, SubmissionAttachment
from sync.policy import Viewer, may, needs_purpose, present, programme
from sync.publishing import get_definition
from sync.relaying.overview import find_provenance
from sync.reviews import decide_review_state, find_mark, list_comments
from sync.scopes import scope_devices, scope_sites
from sync.sealing import read_record

blueprint = Blueprint("submissions", __name__, url_prefix="/submissions")

# What a person can decide about a record in each state.
_DECISIONS = {
    "quarantined": ("replay", "accept", "reject"),
    "held": ("reject",),
    "incomplete": ("reject",),
    "merged": ("replay", "reject"),
    "rejected": ("replay",),
    "locked": ("replay", "reject"),
}
_COLUMNS = ("id", "form_id", "version", "instance_id", "state", "reason", "site", "tablet", "received_at", "ended_at")
_PICTURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


@blueprint.get("/")
@permission("submissions.read")
def list_page() -> ResponseReturnValue:
    viewer, filters = current_viewer(), read_filters()
    page = read_page(select_submissions(viewer, filters), Submission.id, request.args.get("before", type=row_id))
    return render_template("submissions/list.html", page=page, asked=request.args, **_choices(viewer))


@blueprint.get("/export.csv")
@permission("submissions.export")
def export() -> ResponseReturnValue:
    rows = list_exportable(db.session(), current_viewer(), read_filters())
    note_reading("submissions.exported", "submissions")
    table = stream_csv(_COLUMNS, (_line(one) for one in rows))
    headers = as_download("teral-submissions.csv")
    return Response(stream_with_context(table), mimetype="text/csv", headers=headers)


@blueprint.get("/<int:submission_id>")
@permission("submissions.read")
def page(submission_id: int, problem: str | None = None) -> str:
    viewer, session = current_viewer(), db.session()
    submission = get_submission(submission_id)
    answers = read_answers(submission, viewer)
    if answers and shows_personal_data(answers):
        note_reading("submission.read", f"submission:{submission.id}")
    newer, older = find_neighbours(session, viewer, read_filters(), submission.id)
    edits = list_edits(session, viewer, submission)
    return render_template(
        "submissions/page.html", one=submission, problem=problem, answers=answers, newer=newer, older=older,
        decisions_open=_DECISIONS.get(submission.state, ()),
        twins=_compare_twins(submission, answers, viewer),
        edits=edits, comments=list_comments(session, edits[0].id), findings=_word_findings(submission, viewer),
        review=decide_review_state(submission, find_mark(session, submission.id)),
        files=list_files(submission, viewer), raw=may_read_raw(submission, viewer),
        relayed=find_provenance(session, submission.id), happenings=list_happenings(submission),
        hidden=answers is not None and _waits_for_purpose(answers, viewer),
    )  # fmt: skip


@blueprint.get("/<int:submission_id>/xml")
@permission("submissions.read")
def raw_xml(submission_id: int) -> ResponseReturnValue:
    submission, viewer = get_submission(submission_id), current_viewer()
    if not may_read_raw(submission, viewer):
        abort(403)
    version = submission.form_version
    definition = get_definition(db.session(), version) if version else None
    xml = withhold(submission.xml, definition, viewer) if definition else submission.xml
    note_reading("submission.raw_read", f"submission:{submission.id}")
    return Response(xml, mimetype="text/plain", headers=as_download(f"submission-{submission.id}.xml"))


@blueprint.get("/<int:submission_id>/files/<int:file_id>")
@permission("submissions.read")
def file(submission_id: int, file_id: int) -> ResponseReturnValue:
    """A file as a download; nothing that came from outside is opened by the browser itself."""
    name, content = read_content(*_get_file(submission_id, file_id))
    return Response(content, mimetype="application/octet-stream", headers=as_download(name))


@blueprint.get("/<int:submission_id>/files/<int:file_id>/picture")
@permission("submissions.read")
def picture(submission_id: int, file_id: int) -> ResponseReturnValue:
    """A photograph to look at, if its bytes really are one."""
    _name, content = read_content(*_get_file(submission_id, file_id))
    kind = next((kind for magic, kind in _PICTURES.items() if content.startswith(magic)), None)
    if kind is None:
        abort(404)
    return Response(content, mimetype=kind, headers={"Content-Security-Policy": FILE_POLICY})


def get_submission(submission_id: int) -> Submission:
    return find_submission(db.session(), current_viewer(), submission_id) or abort(404)


def read_filters() -> Filters:
    """The filters of the address; what makes no sense is no filter."""
    asked = request.args
    return Filters(
        state=asked.get("state") if asked.get("state") in SUBMISSION_STATES else None,
        form_id=asked.get("form") or None,
        site_id=asked.get("site", type=row_id),
        device_id=asked.get("device", type=row_id) if may(current_viewer(), "devices.read") else None,
        since=_read_day(asked.get("since")),
        until=_read_day(asked.get("until"), timedelta(days=1)),
    )


def read_answers(submission: Submission, viewer: Viewer) -> Section | None:
    """The answers by label; None where no published form says what they mean."""
    if submission.form_version is None:
        return None
    definition = get_definition(db.session(), submission.form_version)
    try:
        parsed = read_record(submission, definition, attachment_store(), current_keys())
    except FormsError:
        return None
    return present_answers(parsed, definition, viewer, select_language())


def _waits_for_purpose(section: Section, viewer: Viewer) -> bool:
    return any(needs_purpose(viewer, row.data_class) for row in section.walk())


def compare(ours: Section | None, theirs: Section | None) -> list[tuple[str, Any, Any]]:
    """The answers in which two records differ, as far as the reader may see them."""
    mine, other = _by_path(ours), _by_path(theirs)
    differing = [path for path in {**mine, **other} if _text(mine, path) != _text(other, path)]
    return [((mine.get(path) or other[path]).label, mine.get(path), other.get(path)) for path in differing]


def _compare_twins(submission: Submission, answers: Section | None, viewer: Viewer) -> list[tuple[Submission, Any]]:
    twins = list_twins(db.session(), viewer, submission)
    return [(twin, compare(answers, read_answers(twin, viewer))) for twin in twins]


def _by_path(section: Section | None) -> dict[str, Any]:
    return {row.path: row for row in section.walk()} if section else {}


def _text(rows: dict[str, Any], path: str) -> str | None:
    return rows[path].value.text if path in rows else None


def _choices(viewer: Viewer) -> dict[str, Any]:
    session = db.session()
    return {
        "states": SUBMISSION_STATES,
        "forms": session.scalars(select(Form.form_id).order_by(Form.form_id)).all(),
        "sites": session.scalars(scope_sites(select(Site).order_by(Site.name), viewer)).all(),
        "devices": session.scalars(scope_devices(select(Device).order_by(Device.name), viewer)).all(),
        "exports": may(viewer, "submissions.export"),
    }


def _word_findings(submission: Submission, viewer: Viewer) -> list[dict[str, Any]]:
    version = submission.form_version
    definition = get_definition(db.session(), version) if version else None
    language = select_language()
    return [
        {
            "finding": one,
            "label": label_path(one.path, definition, language) if definition else one.path,
            "value": present(viewer, programme().data_class(submission.form_id, one.path), one.value or ""),
        }
        for one in submission.findings
    ]


def _get_file(submission_id: int, file_id: int) -> tuple[Submission, SubmissionAttachment]:
    submission = get_submission(submission_id)
    found = next((one for one in submission.attachments if one.id == file_id and one.blob_sha256), None) or abort(404)
    if not may_open(submission, found, current_viewer()):
        abort(403)
    note_reading("submission.file_read", f"submission:{submission.id}")
    return submission, found


def _read_day(text: str | None, later: timedelta = timedelta()) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text or ""), time(), UTC) + later
    except (ValueError, OverflowError):
        return None


def _line(one: Submission) -> tuple[object, ...]:
    site, tablet = one.site.code if one.site else "", one.device.name if one.device else ""
    return (
        one.id, one.form_id, one.version, one.instance_id, one.state, one.reason or "", site, tablet,
        one.received_at.isoformat(), one.ended_at.isoformat() if one.ended_at else "",
    )  # fmt: skip
