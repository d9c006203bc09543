"""What tablets sent, byte for byte, and everything that happened to it."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, or_, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sync.db import Base
from sync.models.devices import Device
from sync.models.forms import Blob, FormVersion
from sync.models.sites import Site

# Written out, since neither database matches a parameter with the condition of an index.
NOT_AT_ITS_END = "state NOT IN ('merged', 'rejected')"
SUBMISSION_STATES = ("received", "incomplete", "held", "quarantined", "merged", "rejected", "locked")


def _sparse(*columns: str) -> Index:
    """An index of the rows that have something in its last column."""
    filled = text(f"{columns[-1]} IS NOT NULL")
    return Index(f"ix_submissions_{'_'.join(columns)}", *columns, sqlite_where=filled, postgresql_where=filled)


class Submission(Base):
    """One XML as it came. `state` is never set by hand: sync/states.py computes it from the other columns.

    A twin (same form and instanceID, other bytes) is a row of its own with `twin_of_id`. An edit is a row whose
    `deprecated_id` names the record that it replaces; the replaced one then has `superseded_by_id`.
    """

    __tablename__ = "submissions"
    __table_args__ = (
        Index(
            "uq_submissions_first", "form_id", "instance_id", "is_draft", unique=True,
            sqlite_where=text("twin_of_id IS NULL"), postgresql_where=text("twin_of_id IS NULL"),
        ),
        # The hash comes first: a repeat is recognised by its bytes alone, before anybody reads them.
        UniqueConstraint("xml_sha256", "form_id", "instance_id", "is_draft"),
        # The work list: what nobody has judged yet. It stays small however many records there are.
        Index(
            "ix_submissions_unjudged", "next_attempt_at", "id",
            sqlite_where=text("processed_at IS NULL"), postgresql_where=text("processed_at IS NULL"),
        ),
        Index("ix_submissions_state_received_at", "state", "received_at"),
        # A form's records by their number, as exports read them page by page: without it each page sorts them all.
        Index("ix_submissions_form_id_id", "form_id", "id"),
        # The supervisor's counts are read from this index alone.
        # What is not at its end, however much is: a thousandth of all, and what supervisors ask for.
        Index(
            "ix_submissions_waiting", "site_id", "state", "reason", "form_id", "is_draft", "received_at",
            sqlite_where=text(NOT_AT_ITS_END), postgresql_where=text(NOT_AT_ITS_END),
        ),
        Index("ix_submissions_counted", "site_id", "device_id", "state", "form_id", "is_draft"),
        Index("ix_submissions_device_id_received_at", "device_id", "received_at"),
        # What an officer is told with every answer: how many earlier records of the tablet wait for repair.
        Index(
            "ix_submissions_quarantined", "device_id", "form_id",
            sqlite_where=text("state = 'quarantined'"), postgresql_where=text("state = 'quarantined'"),
        ),
        # Few records are edits, twins or waiting: the others need not be written into these while their tablet waits.
        _sparse("form_id", "deprecated_id"),
        _sparse("form_id", "waits_for"),
        _sparse("twin_of_id"),
        Index(
            "ix_submissions_twins", "form_id", "instance_id",
            sqlite_where=text("twin_of_id IS NOT NULL"), postgresql_where=text("twin_of_id IS NOT NULL"),
        ),
        _sparse("superseded_by_id"),
        Index("ix_submissions_site_id_received_at", "site_id", "received_at"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    form_id: Mapped[str] = mapped_column(String(255))
    version: Mapped[str] = mapped_column(String(255))
    instance_id: Mapped[str] = mapped_column(String(255))
    deprecated_id: Mapped[str | None] = mapped_column(String(255))
    is_draft: Mapped[bool] = mapped_column(default=False)
    # The last column of the table: SQLite reads a row from its start, and so leaves the XML's pages alone.
    xml: Mapped[bytes] = mapped_column(LargeBinary, sort_order=1000, deferred=True)
    xml_sha256: Mapped[str] = mapped_column(String(64))
    twin_of_id: Mapped[int | None] = mapped_column(ForeignKey("submissions.id"))
    superseded_by_id: Mapped[int | None] = mapped_column(ForeignKey("submissions.id"))

    received_at: Mapped[datetime] = mapped_column(index=True)
    device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id"))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"))  # the tablet's site at receipt
    collect_id: Mapped[str | None] = mapped_column(String(255))
    user_agent: Mapped[str | None] = mapped_column(String(255))

    # Facts from which the state is computed.
    state: Mapped[str] = mapped_column(String(16), default="received")
    processed_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    error_count: Mapped[int] = mapped_column(default=0)  # findings of error grade
    reason: Mapped[str | None] = mapped_column(String(32))  # why it is in quarantine, when no finding says it
    missing_files: Mapped[int] = mapped_column(default=0)
    waits_for: Mapped[str | None] = mapped_column(String(255))  # the instanceID without which it is held
    locked: Mapped[bool] = mapped_column(default=False)
    decision: Mapped[str | None] = mapped_column(String(16))  # accept or reject, the last one

    form_version_id: Mapped[int | None] = mapped_column(ForeignKey("form_versions.id"))
    started_at: Mapped[datetime | None]  # the record's own times: shown, never trusted for security
    ended_at: Mapped[datetime | None]

    form_version: Mapped[FormVersion | None] = relationship()
    device: Mapped[Device | None] = relationship()
    site: Mapped[Site | None] = relationship()
    attachments: Mapped[list["SubmissionAttachment"]] = relationship(order_by="SubmissionAttachment.name")
    findings: Mapped[list["SubmissionFinding"]] = relationship(
        order_by="SubmissionFinding.id", cascade="all, delete-orphan"
    )
    events: Mapped[list["SubmissionEvent"]] = relationship(order_by="SubmissionEvent.id")
    decisions: Mapped[list["Decision"]] = relationship(order_by="Decision.id")


def first_or_twin(named: ColumnElement[bool]) -> ColumnElement[bool]:
    """The same condition on `instance_id`, said of firsts and of twins: each kind has an index of its own."""
    return or_(named & Submission.twin_of_id.is_(None), named & Submission.twin_of_id.is_not(None))


class RestrictedSubmission(Base):
    """A record that bypasses its site (bypassing.py). A table of its own: hardly any record is one."""

    __tablename__ = "restricted_submissions"

    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), primary_key=True)


class SubmissionAttachment(Base):
    """A file that came with a submission, or that its answers name and that is still awaited (no blob)."""

    __tablename__ = "submission_attachments"
    __table_args__ = (
        UniqueConstraint("submission_id", "name"),
        # Who else has a file: asked of each that is let go of, and by the databases of each row that goes.
        Index(
            "ix_submission_attachments_blob_sha256", "blob_sha256",
            sqlite_where=text("blob_sha256 IS NOT NULL"), postgresql_where=text("blob_sha256 IS NOT NULL"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"))
    name: Mapped[str] = mapped_column(String(255))
    content_type: Mapped[str | None] = mapped_column(String(255))
    expected: Mapped[bool] = mapped_column(default=False)
    blob_sha256: Mapped[str | None] = mapped_column(ForeignKey("blobs.sha256"))
    received_at: Mapped[datetime | None]

    blob: Mapped[Blob | None] = relationship()


class SubmissionFinding(Base):
    """A forms.errors.Finding as it was found. `value` is personal data: read through the policy only."""

    __tablename__ = "submission_findings"

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), index=True)
    path: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(16))
    grade: Mapped[str] = mapped_column(String(8))
    code: Mapped[str] = mapped_column(String(64))
    params: Mapped[dict[str, Any]]
    rule: Mapped[str | None] = mapped_column(Text)
    value: Mapped[str | None] = mapped_column(Text)
    message: Mapped[dict[str, Any]]


class SubmissionEvent(Base):
    """One line of a submission's timeline. `details` holds codes and counts, never answers."""

    __tablename__ = "submission_events"
    __table_args__ = (
        # Hardly any record has a second file under one name, and who lets go of a file asks for all of these.
        Index(
            "ix_submission_events_other_file", "submission_id",
            sqlite_where=text("kind = 'other_file'"), postgresql_where=text("kind = 'other_file'"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), index=True)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(32))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("actors.id"))
    details: Mapped[dict[str, Any]]


class AwaitedDecision(Base):
    """A human's word about a submission that is not here yet, named by what it is on every server."""

    __tablename__ = "awaited_decisions"
    __table_args__ = (UniqueConstraint("xml_sha256", "form_id", "instance_id", "decided_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    form_id: Mapped[str] = mapped_column(String(255))
    instance_id: Mapped[str] = mapped_column(String(255))
    xml_sha256: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[datetime]


class Erasure(Base):
    """That a submission's answers were erased, and what was retained of them: enough to tell the registry anew."""

    __tablename__ = "erasures"

    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    retained: Mapped[dict[str, Any]]
    reason: Mapped[str] = mapped_column(Text)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("actors.id"))
    erased_at: Mapped[datetime]


class AwaitedErasure(Base):
    """That the answers of a submission which is not here yet were erased on another server."""

    __tablename__ = "awaited_erasures"

    xml_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    form_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    instance_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    retained: Mapped[dict[str, Any]]
    reason: Mapped[str] = mapped_column(Text)
    erased_at: Mapped[datetime]


class Decision(Base):
    """A human's word about a submission: replay, accept or reject, with the reason. Never changed, only added to."""

    __tablename__ = "decisions"

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("actors.id"))
    decided_at: Mapped[datetime]
