"""Records of `/v1`: list, one, its XML, versions and differences; sending, editing, reviewing them."""

from datetime import UTC, datetime
from typing import Any

from flask import Response, abort, request
from flask.typing import ResponseReturnValue
from marshmallow import fields

from server.accounts.permissions import note_reading, permission
from server.accounts.sessions import current_user, current_viewer
from server.extensions import db
from server.rest.changes import list_differences
from server.rest.extended import AUDIT, RECORD, RECORD_VERSION
from server.rest.forms import FORM, get_version
from server.rest.problems import Problem
from server.rest.queries import PageQuery, TabletQuery
from server.rest.records import list_events, show_head, show_version, stream_heads
from server.rest.shapes import ActorShape, AuditShape, DifferenceShape, ReviewShape, SubmissionShape, VersionShape
from server.rest.speech import JSON, NONE, XML, answers, asks, blueprint, reads, takes, writes
from server.web.raw_xml import withhold
from server.web.reading import may_read_raw
from sync.heads import find_chain, make_head, select_heads
from sync.intake import Sender
from sync.models import Submission
from sync.publishing import get_definition
from sync.reviews import change_review_state
from sync.senders import list_submitters
from sync.sending import receive_sent, send_edit

SUBMISSIONS = f"{FORM}/submissions"
SUBMISSION = f"{SUBMISSIONS}/<segment:instance_id>"
VERSION = f"{SUBMISSION}/versions/<segment:version_id>"
MAX_XML = 10 * 1024 * 1024
_DIFFERENCES = fields.Dict(keys=fields.String(), values=fields.List(fields.Nested(DifferenceShape)))


@blueprint.get(SUBMISSIONS)
@permission("submissions.read")
@answers(SubmissionShape, many=True, more=RECORD)
@asks(PageQuery)
def submissions(form_id: str, asked: dict[str, Any]) -> Any:
    get_version(form_id)
    if asked["deleted"]:
        return []  # nothing is deleted here
    found = select_heads(current_viewer(), form_id)
    return stream_heads(found, current_viewer(), asked["offset"], asked["limit"])


@blueprint.post(SUBMISSIONS)
@permission("submissions.add")
@answers(SubmissionShape)
@reads(*XML)
@asks(TabletQuery)
def send(form_id: str, asked: dict[str, Any]) -> Any:
    sent = receive_sent(db.session(), form_id, read_xml(), as_sender(asked["device_id"]), datetime.now(UTC))
    return show_head(make_head(db.session(), [sent]), current_viewer())


@blueprint.get(f"{SUBMISSIONS}/submitters")
@permission("submissions.read")
@answers(ActorShape, many=True)
def submitters(form_id: str) -> Any:
    get_version(form_id)
    return list_submitters(db.session(), current_viewer(), form_id)


@blueprint.get(f"{SUBMISSIONS}/keys")
@permission("submissions.read")
@writes(JSON, form=NONE)
def keys(form_id: str) -> ResponseReturnValue:
    """Keys stay outside of the database, so there is none whose passphrase could be asked for."""
    get_version(form_id)
    return []


@blueprint.get(SUBMISSION)
@permission("submissions.read")
@answers(SubmissionShape, more=RECORD)
def submission(form_id: str, instance_id: str) -> Any:
    return show_head(make_head(db.session(), get_chain(form_id, instance_id)), current_viewer())


@blueprint.put(SUBMISSION)
@permission("submissions.add")
@answers(SubmissionShape)
@reads(*XML)
@asks(TabletQuery)
def edit(form_id: str, instance_id: str, asked: dict[str, Any]) -> Any:
    chain = get_chain(form_id, instance_id)
    sent = send_edit(db.session(), chain[-1], read_xml(), as_sender(asked["device_id"]), datetime.now(UTC))
    return show_head(make_head(db.session(), [*chain, sent]), current_viewer())


@blueprint.patch(SUBMISSION)
@permission("submissions.decide")
@answers(SubmissionShape)
@takes(ReviewShape)
def review(form_id: str, instance_id: str, body: dict[str, Any]) -> Any:
    chain = get_chain(form_id, instance_id)
    if "review_state" in body:
        state, viewer = body["review_state"], current_viewer()
        change_review_state(db.session(), chain[-1], state, viewer.actor_id, "", datetime.now(UTC))
    return show_head(make_head(db.session(), chain), current_viewer())


@blueprint.get(f"{SUBMISSION}.xml")
@permission("submissions.read")
@writes(XML[0])
def submission_xml(form_id: str, instance_id: str) -> ResponseReturnValue:
    return answer_xml(get_chain(form_id, instance_id)[-1])


@blueprint.get(f"{SUBMISSION}/audits")
@permission("submissions.read")
@answers(AuditShape, many=True, more=AUDIT)
def submission_audits(form_id: str, instance_id: str) -> Any:
    return list_events(get_chain(form_id, instance_id))


@blueprint.get(f"{SUBMISSION}/versions")
@permission("submissions.read")
@answers(VersionShape, many=True, more=RECORD_VERSION)
def submission_versions(form_id: str, instance_id: str) -> Any:
    chain = get_chain(form_id, instance_id)
    return [show_version(db.session(), one, chain, current_viewer()) for one in reversed(chain)]


@blueprint.get(VERSION)
@permission("submissions.read")
@answers(VersionShape, more=RECORD_VERSION)
def submission_version(form_id: str, instance_id: str, version_id: str) -> Any:
    chain = get_chain(form_id, instance_id)
    return show_version(db.session(), get_version_of(chain, version_id), chain, current_viewer())


@blueprint.get(f"{VERSION}.xml")
@permission("submissions.read")
@writes(XML[0])
def submission_version_xml(form_id: str, instance_id: str, version_id: str) -> ResponseReturnValue:
    return answer_xml(get_version_of(get_chain(form_id, instance_id), version_id))


@blueprint.get(f"{SUBMISSION}/diffs")
@permission("submissions.read")
@writes(JSON, form=_DIFFERENCES)
def differences(form_id: str, instance_id: str) -> ResponseReturnValue:
    chain = get_chain(form_id, instance_id)
    note_reading("submission.read", f"submission:{chain[-1].id}")
    return list_differences(db.session(), chain, current_viewer())


def get_chain(form_id: str, instance_id: str, *, draft: bool = False) -> list[Submission]:
    """All versions of a record, or of a test of the draft, oldest first, by the instanceID of any of them."""
    return find_chain(db.session(), current_viewer(), form_id, instance_id, draft=draft) or abort(404)


def get_version_of(chain: list[Submission], version_id: str) -> Submission:
    return next((one for one in chain if one.instance_id == version_id), None) or abort(404)


def as_sender(device_id: str | None, *, draft: bool = False) -> Sender:
    """A program sends for its user, who may have a site."""
    user = current_user() or abort(401)
    agent = request.headers.get("User-Agent")
    return Sender(None, user.site_id, user.actor_id, device_id, agent, draft)


def read_xml() -> bytes:
    if (request.content_length or 0) > MAX_XML:
        raise Problem(400.36)
    return request.get_data()


def answer_xml(one: Submission) -> ResponseReturnValue:
    """The XML as it came, for who may read everything personal in it; what is not theirs beside that is blanked."""
    viewer = current_viewer()
    if not may_read_raw(one, viewer):
        abort(403)
    version = one.form_version
    xml = withhold(one.xml, get_definition(db.session(), version), viewer) if version else one.xml
    note_reading("submission.raw_read", f"submission:{one.id}")
    return Response(xml, mimetype="application/xml")
