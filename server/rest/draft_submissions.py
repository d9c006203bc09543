"""Tests of a draft, as programs send and read them. They feed no registry, and end with the draft's own page."""

from datetime import UTC, datetime
from typing import Any

from flask.typing import ResponseReturnValue

from server.accounts.permissions import permission, reads_first
from server.accounts.sessions import current_viewer
from server.extensions import db
from server.rest.extended import RECORD
from server.rest.form_drafts import DRAFT, get_draft
from server.rest.queries import PartQuery, TabletQuery
from server.rest.records import show_head, stream_heads
from server.rest.shapes import Done, SubmissionFileShape, SubmissionShape
from server.rest.speech import ANY, XML, answers, asks, blueprint, reads, writes
from server.rest.submission_files import answer_file, list_named_files, take_file
from server.rest.submissions import answer_xml, as_sender, get_chain, read_xml
from sync.heads import make_head, select_heads
from sync.sending import send_record

TESTS = f"{DRAFT}/submissions"
TEST = f"{TESTS}/<segment:instance_id>"


@blueprint.get(TESTS)
@permission("submissions.read")
@answers(SubmissionShape, many=True, more=RECORD)
@asks(PartQuery)
def tests(form_id: str, asked: dict[str, Any]) -> Any:
    get_draft(form_id)
    found = select_heads(current_viewer(), form_id, draft=True)
    return stream_heads(found, current_viewer(), asked["offset"], asked["limit"])


@blueprint.post(TESTS)
@permission("submissions.add")
@answers(SubmissionShape)
@reads(*XML)
@asks(TabletQuery)
def send_test(form_id: str, asked: dict[str, Any]) -> Any:
    get_draft(form_id)
    sender = as_sender(asked["device_id"], draft=True)
    sent = send_record(db.session(), form_id, read_xml(), sender, datetime.now(UTC))
    return show_head(make_head(db.session(), [sent]), current_viewer())


@blueprint.get(TEST)
@permission("submissions.read")
@answers(SubmissionShape, more=RECORD)
def test(form_id: str, instance_id: str) -> Any:
    return show_head(make_head(db.session(), get_chain(form_id, instance_id, draft=True)), current_viewer())


@blueprint.get(f"{TEST}.xml")
@permission("submissions.read")
@writes(XML[0])
def test_xml(form_id: str, instance_id: str) -> ResponseReturnValue:
    return answer_xml(get_chain(form_id, instance_id, draft=True)[-1])


@blueprint.get(f"{TEST}/attachments")
@permission("submissions.read")
@answers(SubmissionFileShape, many=True)
def test_files(form_id: str, instance_id: str) -> Any:
    return list_named_files(get_chain(form_id, instance_id, draft=True)[-1])


@blueprint.get(f"{TEST}/attachments/<segment:name>")
@permission("submissions.read")
@writes(ANY)
def test_file(form_id: str, instance_id: str, name: str) -> ResponseReturnValue:
    return answer_file(get_chain(form_id, instance_id, draft=True)[-1], name)


@blueprint.post(f"{TEST}/attachments/<segment:name>")
@permission("submissions.add")
@reads_first
@answers(Done)
@reads(ANY)
@asks(TabletQuery)
def upload_test_file(form_id: str, instance_id: str, name: str, asked: dict[str, Any]) -> Any:
    return take_file(form_id, instance_id, name, as_sender(asked["device_id"], draft=True))
