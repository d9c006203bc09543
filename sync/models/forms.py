"""Published forms: versions with their exact bytes, and the files that go with them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sync.db import Base

FORM_STATES = ("draft", "open", "closing", "closed")


class Form(Base):
    __tablename__ = "forms"

    id: Mapped[int] = mapped_column(primary_key=True)
    form_id: Mapped[str] = mapped_column(String(255), unique=True)
    created_at: Mapped[datetime]

    versions: Mapped[list["FormVersion"]] = relationship(back_populates="form", order_by="FormVersion.id")


class FormVersion(Base):
    """One state of a form. Its bytes never change once it is published; only `state` moves.

    draft: for tests only. open: listed to tablets (the newest open version of a form). closing: no longer listed,
    records are welcome. closed: records that still come are kept and shown to a supervisor.
    """

    __tablename__ = "form_versions"
    __table_args__ = (
        Index(
            "uq_form_versions_published", "form_pk", "version", unique=True,
            sqlite_where=text("state != 'draft'"), postgresql_where=text("state != 'draft'"),
        ),
        Index(
            "uq_form_versions_draft", "form_pk", unique=True,
            sqlite_where=text("state = 'draft'"), postgresql_where=text("state = 'draft'"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    form_pk: Mapped[int] = mapped_column(ForeignKey("forms.id"))
    version: Mapped[str] = mapped_column(String(255))
    title: Mapped[str] = mapped_column(String(255))
    state: Mapped[str] = mapped_column(String(16))
    xml: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    md5: Mapped[str] = mapped_column(String(32))
    sha256: Mapped[str] = mapped_column(String(64))
    source: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)  # the workbook as it came
    source_name: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    published_by_id: Mapped[int | None] = mapped_column(ForeignKey("actors.id"))
    closed_at: Mapped[datetime | None]
    draft_token: Mapped[str | None] = mapped_column(String(64), unique=True)

    form: Mapped[Form] = relationship(back_populates="versions")
    attachments: Mapped[list["FormAttachment"]] = relationship(
        back_populates="form_version", order_by="FormAttachment.name", cascade="all, delete-orphan"
    )


class FormAttachment(Base):
    """A file that a form version names; `blob_sha256` is empty while it is missing or made by the server."""

    __tablename__ = "form_attachments"
    __table_args__ = (UniqueConstraint("form_version_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    form_version_id: Mapped[int] = mapped_column(ForeignKey("form_versions.id"))
    name: Mapped[str] = mapped_column(String(255))
    type: Mapped[str] = mapped_column(String(16))
    blob_sha256: Mapped[str | None] = mapped_column(ForeignKey("blobs.sha256"))
    server_made: Mapped[bool] = mapped_column(default=False)

    form_version: Mapped[FormVersion] = relationship(back_populates="attachments")
    blob: Mapped["Blob | None"] = relationship()


class Blob(Base):
    """A file in the content-addressed store. The row is written after the file is safe on disk."""

    __tablename__ = "blobs"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    md5: Mapped[str] = mapped_column(String(32))
    size: Mapped[int]
    created_at: Mapped[datetime]


class FreedFile(Base):
    """A file that is to leave the disk at its time, unless somebody names it (freed_files.py).

    `name` is its hash, or what the disk calls a file that was never whole.
    """

    __tablename__ = "freed_files"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    due_at: Mapped[datetime]


class Catalogue(Base):
    """One row whose number grows with every change of forms, sites or settings: the key of what a process may cache."""

    __tablename__ = "catalogue"

    id: Mapped[int] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(default=1)
