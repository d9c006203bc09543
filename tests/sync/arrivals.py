"""Submissions on their way into intake, and what intake left behind."""

from datetime import timedelta
from hashlib import md5, sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.attachments import StoredFile
from sync.intake import IncomingRecord, Receipt, Sender, Upload, receive_submission
from sync.models import Submission, SubmissionAttachment
from sync.parts import IncomingFile
from tests.sync.factory import NOW, xml


def a_file(name: str, content: bytes = b"photo") -> IncomingFile:
    """A file as it lies in the store; no store is needed for the rows."""
    stored = StoredFile(sha256(content).hexdigest(), md5(content, usedforsecurity=False).hexdigest(), len(content))
    return IncomingFile(name, "image/jpeg", stored)


def receive(session: Session, instance_id: str | None, *files: IncomingFile, **facts: Any) -> Receipt:
    """Receive one submission of form `passage`. Facts: body, expected, deprecated_id, sender, later (s), direction."""
    body = facts.pop("body", None)
    record = IncomingRecord(
        form_id=facts.get("form_id", "passage"),
        version="1",
        instance_id=instance_id,
        deprecated_id=facts.get("deprecated_id"),
        expected_files=tuple(facts.pop("expected", ())),
    )
    sender = facts.pop("sender", Sender())
    moment = NOW + timedelta(seconds=facts.pop("later", 0))
    incomplete = facts.pop("incomplete", False)
    body = body or xml(instance_id or "", **facts)
    upload = Upload(body, sha256(body).hexdigest(), files, incomplete)
    return receive_submission(session, record, upload, sender, moment)


def rows(session: Session) -> list[Submission]:
    session.expire_all()
    return list(session.scalars(select(Submission).order_by(Submission.id)))


def files_of(session: Session, submission_id: int) -> dict[str, bool]:
    """Name → whether the file is there."""
    mine = select(SubmissionAttachment).where(SubmissionAttachment.submission_id == submission_id)
    return {one.name: one.blob_sha256 is not None for one in session.scalars(mine)}
