"""What people and programs say about a submission beside their decisions: comments, a mark, and who sent it by hand."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sync.db import Base
from sync.models.actors import Actor


class SubmissionComment(Base):
    """A remark. It belongs to the record with which a chain of edits began, and so to all of them."""

    __tablename__ = "submission_comments"

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), index=True)
    body: Mapped[str] = mapped_column(Text)
    actor_id: Mapped[int] = mapped_column(ForeignKey("actors.id"))
    created_at: Mapped[datetime]

    actor: Mapped[Actor] = relationship()


class SubmissionMark(Base):
    """`hasIssues` or `edited`, as somebody set it, "" once they took it back or said otherwise.

    Approval and rejection are decisions, which change what counts.
    """

    __tablename__ = "submission_marks"

    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    mark: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("actors.id"))
    marked_at: Mapped[datetime]


class SubmissionSender(Base):
    """The user whose program sent a record. A tablet's record names its tablet instead."""

    __tablename__ = "submission_senders"

    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    actor_id: Mapped[int] = mapped_column(ForeignKey("actors.id"))
