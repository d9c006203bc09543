"""The files of a record: which it names, which are here, those that a program sends or fetches."""

import mimetypes
from datetime import UTC, datetime
from typing import Any

from flask import Response, abort, request
from flask.typing import ResponseReturnValue

from server.accounts.permissions import note_reading, permission, reads_first
from server.accounts.sessions import current_viewer, open_writer
from server.extensions import attachment_store, db
from server.rest.queries import TabletQuery
from server.rest.shapes import Done, SubmissionFileShape
from server.rest.speech import ANY, answers, asks, blueprint, body_file, reads, writes
from server.rest.submissions import SUBMISSION, VERSION, as_sender, get_chain, get_version_of
from server.web.headers import as_download
from server.web.reading import may_open
from sync.intake import Sender
from sync.models import Submission
from sync.parts import IncomingFile
from sync.sending import send_file


@blueprint.get(f"{SUBMISSION}/attachments")
@permission("submissions.read")
@answers(SubmissionFileShape, many=True)
def submission_files(form_id: str, instance_id: str) -> Any:
    return list_named_files(get_chain(form_id, instance_id)[-1])


@blueprint.get(f"{VERSION}/attachments")
@permission("submissions.read")
@answers(SubmissionFileShape, many=True)
def submission_version_files(form_id: str, instance_id: str, version_id: str) -> Any:
    return list_named_files(get_version_of(get_chain(form_id, instance_id), version_id))


@blueprint.get(f"{SUBMISSION}/attachments/<segment:name>")
@permission("submissions.read")
@writes(ANY)
def submission_file(form_id: str, instance_id: str, name: str) -> ResponseReturnValue:
    return answer_file(get_chain(form_id, instance_id)[-1], name)


@blueprint.get(f"{VERSION}/attachments/<segment:name>")
@permission("submissions.read")
@writes(ANY)
def submission_version_file(form_id: str, instance_id: str, version_id: str, name: str) -> ResponseReturnValue:
    return answer_file(get_version_of(get_chain(form_id, instance_id), version_id), name)


@blueprint.post(f"{SUBMISSION}/attachments/<segment:name>")
@permission("submissions.add")
@reads_first
@answers(Done)
@reads(ANY)
@asks(TabletQuery)
def upload_file(form_id: str, instance_id: str, name: str, asked: dict[str, Any]) -> Any:
    return take_file(form_id, instance_id, name, as_sender(asked["device_id"]))


def take_file(form_id: str, instance_id: str, name: str, sender: Sender) -> dict[str, Any]:
    """Keep the body as the file that the record names; the database is locked once all of it is here."""
    stored = attachment_store().save(body_file())
    open_writer()
    row = get_chain(form_id, instance_id, draft=sender.is_draft)[-1]
    file = IncomingFile(name, request.mimetype or None, stored)
    return {} if send_file(db.session(), row, file, sender, datetime.now(UTC)) else abort(404)


def list_named_files(row: Submission) -> list[dict[str, Any]]:
    """Those that the reader may open: a name can say as much as a file."""
    viewer = current_viewer()
    shown = [one for one in row.attachments if may_open(row, one, viewer)]
    return [{"name": one.name, "exists": one.blob_sha256 is not None} for one in shown]


def answer_file(row: Submission, name: str) -> ResponseReturnValue:
    found = next((one for one in row.attachments if one.name == name and one.blob_sha256), None) or abort(404)
    if not may_open(row, found, current_viewer()):
        abort(403)
    note_reading("submission.file_read", f"submission:{row.id}")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    content = attachment_store().read(found.blob_sha256 or "")
    answer = Response(content, mimetype=kind, headers=as_download(name))
    # The rest of a file, for whoever lost the connection in the middle.
    answer.set_etag(found.blob_sha256 or "")
    return answer.make_conditional(request, accept_ranges=True, complete_length=len(content))
