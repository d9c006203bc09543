"""The registry: persons, what each submission said about one, and encounters."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sync.db import Base
from sync.models.sites import Site
from sync.models.submissions import Submission


class Person(Base):
    """One human being: a set of person records. Records are linked, never merged.

    Each reference has a person of its own, its home, which stands empty while the record is linked to an earlier one:
    so its number and its reference are there again when the link is undone.
    """

    __tablename__ = "persons"

    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(String(16), unique=True, index=True)

    records: Mapped[list["PersonRecord"]] = relationship(
        back_populates="person", order_by="PersonRecord.id", foreign_keys="PersonRecord.person_id"
    )


class PersonRecord(Base):
    """What one submission said about one person; `path` tells which repeat instance."""

    __tablename__ = "person_records"
    __table_args__ = (
        UniqueConstraint("submission_id", "path"),
        Index("ix_person_records_family_name", "family_name"),
        # Where a record was made and whose it is by now is asked of tens of thousands at once: the index alone answers.
        Index("ix_person_records_home_id", "home_id", "site_id", "person_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    home_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))  # whose it is when nothing is linked
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"))
    path: Mapped[str] = mapped_column(String(255))
    # Computed from form, first instanceID and first path alone, so that any order of arrival gives the same one.
    reference: Mapped[str] = mapped_column(String(16), index=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"), index=True)
    ended_at: Mapped[datetime | None]

    given_names: Mapped[str | None] = mapped_column(String(255))
    family_name: Mapped[str | None] = mapped_column(String(255))
    sex: Mapped[str | None] = mapped_column(String(1))  # ISO 5218
    birth_date: Mapped[date | None]
    age: Mapped[int | None]
    age_band: Mapped[str | None] = mapped_column(String(16))
    age_basis: Mapped[str | None] = mapped_column(String(16))
    nationality: Mapped[str | None] = mapped_column(String(8))
    birth_place: Mapped[str | None] = mapped_column(String(255))
    mother_name: Mapped[str | None] = mapped_column(String(255))
    phone: Mapped[str | None] = mapped_column(String(64))
    document_type: Mapped[str | None] = mapped_column(String(16))
    document_issuer: Mapped[str | None] = mapped_column(String(16))
    document_number: Mapped[str | None] = mapped_column(String(64))
    language: Mapped[str | None] = mapped_column(String(64))

    person: Mapped[Person] = relationship(back_populates="records", foreign_keys=[person_id])
    home: Mapped[Person] = relationship(foreign_keys=[home_id])
    submission: Mapped[Submission] = relationship()
    site: Mapped[Site | None] = relationship()


class Encounter(Base):
    """A meeting with one or several persons, as one submission tells it."""

    __tablename__ = "encounters"
    __table_args__ = (UniqueConstraint("submission_id", "path"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"))
    path: Mapped[str] = mapped_column(String(255))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"), index=True)
    kind: Mapped[str | None] = mapped_column(String(64))
    at: Mapped[datetime | None]
    direction: Mapped[str | None] = mapped_column(String(64))
    origin: Mapped[str | None] = mapped_column(String(255))
    destination: Mapped[str | None] = mapped_column(String(255))
    outcome: Mapped[str | None] = mapped_column(String(64))

    submission: Mapped[Submission] = relationship()
