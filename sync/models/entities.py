"""Entity lists, entities as they stand, what submissions said about them, and what was served under which number."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sync.db import Base
from sync.models.submissions import Submission


class EntityList(Base):
    """A list that a published form declares. `properties` grow with every form version and never shrink."""

    __tablename__ = "entity_lists"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    properties: Mapped[list[Any]]


class Entity(Base):
    """One entity as the fold of its contributions left it. `version` is the number last issued, 0 before the first."""

    __tablename__ = "entities"
    __table_args__ = (
        UniqueConstraint("list_name", "uuid"),
        # What a tablet downloads: the open rows of its site.
        Index(
            "ix_entities_served", "list_name", "site_code",
            sqlite_where=text("is_open"), postgresql_where=text("is_open"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    list_name: Mapped[str] = mapped_column(String(255))
    uuid: Mapped[str] = mapped_column(String(36))
    label: Mapped[str] = mapped_column(Text, default="")
    properties: Mapped[dict[str, Any]]
    version: Mapped[int] = mapped_column(default=0)
    # Whether anything that counts still says that it exists; a rejected creation takes it away.
    exists: Mapped[bool] = mapped_column(default=False)
    # The list's rule (programme.toml) read off the values, so that a download needs an index only.
    is_open: Mapped[bool] = mapped_column(default=False)
    site_code: Mapped[str] = mapped_column(String(255), default="")

    contributions: Mapped[list["EntityContribution"]] = relationship(back_populates="entity")
    issued: Mapped[list["IssuedVersion"]] = relationship(back_populates="entity", order_by="IssuedVersion.number")
    conflicts: Mapped[list["EntityConflict"]] = relationship(order_by="EntityConflict.property_name")


class EntityContribution(Base):
    """What one submission says about one entity, and what its tablet had seen when it said so."""

    __tablename__ = "entity_contributions"
    __table_args__ = (UniqueConstraint("submission_id", "list_name", "path"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entities.id"), index=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"))
    list_name: Mapped[str] = mapped_column(String(255))
    path: Mapped[str] = mapped_column(String(255))
    # The instanceID with which the chain of edits began: an edit takes the place of its original.
    root_id: Mapped[str] = mapped_column(String(255))
    action: Mapped[str] = mapped_column(String(8))
    base_version: Mapped[int | None]
    trunk_version: Mapped[int | None]
    branch_id: Mapped[str | None] = mapped_column(String(36))
    label: Mapped[str | None] = mapped_column(Text)
    properties: Mapped[dict[str, Any]]
    problem: Mapped[str | None] = mapped_column(String(64))  # why it can never be applied, as the catalogue's code
    counts: Mapped[bool] = mapped_column(default=False)
    waits_for: Mapped[str | None] = mapped_column(String(64), index=True)  # what is missing before it
    # Since when it is applied although something is missing before it: a fact, like a person's decision.
    forced_at: Mapped[datetime | None]

    entity: Mapped[Entity] = relationship(back_populates="contributions")
    submission: Mapped[Submission] = relationship()


class IssuedVersion(Base):
    """What tablets were given under one number, and the contributions inside it. Never changed, only added to."""

    __tablename__ = "issued_versions"

    entity_id: Mapped[int] = mapped_column(ForeignKey("entities.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    contributions: Mapped[list[Any]]
    label: Mapped[str] = mapped_column(Text)
    properties: Mapped[dict[str, Any]]
    issued_at: Mapped[datetime]

    entity: Mapped[Entity] = relationship(back_populates="issued")


class EntityConflict(Base):
    """Values of one property between which a human must choose; `candidates` pairs contributions with values."""

    __tablename__ = "entity_conflicts"

    entity_id: Mapped[int] = mapped_column(ForeignKey("entities.id"), primary_key=True)
    property_name: Mapped[str] = mapped_column(String(255), primary_key=True)
    candidates: Mapped[list[Any]]
