"""Records that accounts send, one at a time and outside of OpenRosa: what does not fit is refused, as Central does.

A tablet's record is never refused for its content (intake.py), since the tablet cannot mend it; a program can.
"""

import hashlib
import re
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.errors import N_, FormsError
from forms.submission import Submission as SubmissionXml
from forms.submission import attachment_names, parse_submission
from forms.xml import XmlRefused
from sync.intake import IncomingRecord, Sender, Upload, receive_submission
from sync.models import FormVersion, Submission, SubmissionAttachment, SubmissionSender
from sync.parts import IncomingFile
from sync.publishing import PublishRefused, find_draft, find_form_version, find_newest, get_definition
from sync.relaying.belonging import find_relay
from sync.relaying.up import receive_relayed

_BARE_AMPERSAND = re.compile(rb"&(?!#?\w+;)")


class SendingRefused(FormsError):
    """A record or file that was not kept; the program still has it."""

    messages = {
        "form_differs": N_("The value of %(field)s cannot be used here: %(reason)s"),
        "version_unknown": N_("The form has no version “%(formVersion)s”."),
        "form_closed": N_("This form accepts no records now."),
        "record_exists": N_("There is one already with this %(fields)s."),
        "edit_expected": N_("An edit must name the present version of the record in meta/deprecatedID."),
        "record_changed": N_("The record was changed meanwhile: %(deprecatedId)s is not its present version any more."),
    }


def receive_sent(session: Session, form_id: str, xml: bytes, sender: Sender, now: datetime) -> Submission:
    """Keep a record that came to this form's address, by the rules for the account that sends; return its row.

    A program's record must fit. A relay's is kept as it is, and under the form that it names itself: it is the only
    copy, of which the tablet knows nothing any more, so that a mistaken address may not cost it.
    """
    relay = find_relay(session, sender.actor_id) if sender.actor_id is not None else None
    if relay is not None:
        return receive_relayed(session, relay, xml, now)
    if find_newest(session, form_id) is None and find_draft(session, form_id) is None:
        raise PublishRefused("form_not_found", form_id=form_id, version="")
    return send_record(session, form_id, xml, sender, now)


def send_record(session: Session, form_id: str, xml: bytes, sender: Sender, now: datetime) -> Submission:
    """Keep a new record of this form, or a test of its draft where the sender says so, and return its row."""
    read, xml = _read(form_id, xml)
    version = _find_version(session, form_id, read.version, draft=sender.is_draft)
    if read.instance_id is not None and _is_taken(session, form_id, read.instance_id, draft=sender.is_draft):
        raise _taken(read.instance_id)
    return _receive(session, read, version, xml, sender, now)


def send_edit(session: Session, current: Submission, xml: bytes, sender: Sender, now: datetime) -> Submission:
    """Keep an edit of the record whose present version this is, and return the edit's row."""
    read, xml = _read(current.form_id, xml)
    if read.deprecated_id is None:
        raise SendingRefused("edit_expected")
    if read.deprecated_id != current.instance_id:
        raise SendingRefused("record_changed", deprecatedId=read.deprecated_id)
    version = _find_version(session, current.form_id, read.version)
    if read.instance_id is None or _is_taken(session, current.form_id, read.instance_id):
        raise _taken(read.instance_id or "")
    return _receive(session, read, version, xml, sender, now)


def send_file(
    session: Session, submission: Submission, file: IncomingFile, sender: Sender, now: datetime
) -> SubmissionAttachment | None:
    """Add a file that the record names; None where it names none of this name. A name keeps its first file."""
    named = next((one for one in submission.attachments if one.name == file.name), None)
    if named is None:
        return None
    record = IncomingRecord(submission.form_id, submission.version, submission.instance_id, submission.deprecated_id)
    receive_submission(session, record, Upload(submission.xml, submission.xml_sha256, (file,)), sender, now)
    session.refresh(named)
    if named.blob_sha256 != file.stored.sha256:
        raise _taken(file.name)
    return named


def _read(form_id: str, sent: bytes) -> tuple[SubmissionXml, bytes]:
    """What was sent, and the bytes to keep of it.

    Scripts that paste values into XML forget to escape `&`, and Central's reader takes it for itself.
    """
    xml = sent
    try:
        read = parse_submission(xml)
    except XmlRefused:
        xml = _BARE_AMPERSAND.sub(b"&amp;", sent)
        if xml == sent:
            raise
        read = parse_submission(xml)
    if read.form_id != form_id:
        raise SendingRefused("form_differs", field="form id", value=read.form_id, reason=form_id)
    return read, xml


def _find_version(session: Session, form_id: str, name: str, *, draft: bool = False) -> FormVersion:
    version = find_form_version(session, form_id, name, draft)
    if version is None:
        raise SendingRefused("version_unknown", formVersion=name)
    if version.state == "closed":
        raise SendingRefused("form_closed")
    return version


def _is_taken(session: Session, form_id: str, instance_id: str, *, draft: bool = False) -> bool:
    same = select(Submission.id).where(Submission.form_id == form_id, Submission.instance_id == instance_id)
    return session.scalar(same.where(Submission.is_draft.is_(draft)).limit(1)) is not None


def _taken(value: str) -> SendingRefused:
    return SendingRefused("record_exists", fields="instanceID", values=[value])


def _receive(
    session: Session, read: SubmissionXml, version: FormVersion, xml: bytes, sender: Sender, now: datetime
) -> Submission:
    record = IncomingRecord(
        form_id=read.form_id,
        version=read.version,
        instance_id=read.instance_id,
        deprecated_id=read.deprecated_id,
        expected_files=tuple(attachment_names(read, get_definition(session, version))),
        form_version_id=version.id,
    )
    receipt = receive_submission(session, record, Upload(xml, hashlib.sha256(xml).hexdigest()), sender, now)
    if sender.actor_id is not None and sender.device_id is None:
        session.add(SubmissionSender(submission_id=receipt.submission_id, actor_id=sender.actor_id))
        session.flush()
    return session.get_one(Submission, receipt.submission_id)
