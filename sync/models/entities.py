"""Entity lists, entities as they stand, what submissions and people said about them, and what was served under which
number.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sync.db import Base
from sync.models.submissions import Submission

# Written out, since neither database matches a parameter with the condition of an index.
IS_DISPUTED = "open_conflicts > 0"
_HAS_PARENT = "parent_uuid IS NOT NULL"
_WORD = String(32).with_variant(String(32, collation="C"), "postgresql")
_KEY = String(64).with_variant(String(64, collation="C"), "postgresql")


class EntityList(Base):
    """A list that a published form declares or a person made. `properties` grow and never shrink."""

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
        # What people read page by page: all of a list or one site's, open or closed, by label; search is a prefix.
        Index("ix_entities_listed", "list_name", "exists", "is_open", "label_key", "id"),
        Index("ix_entities_listed_at_site", "list_name", "site_code", "exists", "is_open", "label_key", "id"),
        Index(
            "ix_entities_disputed", "list_name", "exists", "is_open", "label_key", "id",
            sqlite_where=text(IS_DISPUTED), postgresql_where=text(IS_DISPUTED),
        ),
        # The stays of one event; most lists belong to none.
        Index(
            "ix_entities_parent_uuid", "parent_uuid", "list_name", "exists",
            sqlite_where=text(_HAS_PARENT), postgresql_where=text(_HAS_PARENT),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    list_name: Mapped[str] = mapped_column(String(255))
    uuid: Mapped[str] = mapped_column(String(36))
    label: Mapped[str] = mapped_column(Text, default="")
    # The label as it is sorted and searched, in the same order on both databases (entity_state.fold_label).
    label_key: Mapped[str] = mapped_column(_KEY, default="")
    properties: Mapped[dict[str, Any]]
    version: Mapped[int] = mapped_column(default=0)
    # Whether anything that counts still says that it exists; a rejected creation and a deletion take it away.
    exists: Mapped[bool] = mapped_column(default=False)
    deleted_at: Mapped[datetime | None]  # when a person deleted it, and nobody restored it since
    # The list's rule (programme.toml) read off the values, so that a download needs an index only.
    is_open: Mapped[bool] = mapped_column(default=False)
    site_code: Mapped[str] = mapped_column(String(255), default="")
    open_until: Mapped[date | None]  # the last day on which tablets get it, where the list has such a rule
    parent_uuid: Mapped[str | None] = mapped_column(String(36))  # the entity of another list that it belongs to
    open_conflicts: Mapped[int] = mapped_column(default=0)
    # The highest version that a tablet says to hold; what is served is never lower.
    claimed: Mapped[int] = mapped_column(default=0)
    # Where the fold stands, so that an update that saw everything before it costs the same after a thousand others
    # (entity_state.py): from which number on the served ones contain all that is applied, and the last of a branch.
    whole_from: Mapped[int | None]
    tip_branch: Mapped[str | None] = mapped_column(String(36))
    tip_base: Mapped[int | None]
    is_settled: Mapped[bool] = mapped_column(default=True)  # nothing waits, nothing was forced

    contributions: Mapped[list["EntityContribution"]] = relationship(back_populates="entity")
    acts: Mapped[list["EntityAct"]] = relationship(back_populates="entity", order_by="EntityAct.id")
    issued: Mapped[list["IssuedVersion"]] = relationship(back_populates="entity", order_by="IssuedVersion.number")
    conflicts: Mapped[list["EntityConflict"]] = relationship(order_by="EntityConflict.property_name")
    decisions: Mapped[list["EntityDecision"]] = relationship(back_populates="entity", order_by="EntityDecision.id")


class EntityWord(Base):
    """A word by which people find an entity (entity_words.py)."""

    __tablename__ = "entity_words"
    # By word it is looked for, by entity it is looked up; no row needs a number beside.
    __table_args__ = (Index("ix_entity_words_entity", "entity_id", "word"), {"sqlite_with_rowid": False})

    list_name: Mapped[str] = mapped_column(String(255), primary_key=True)
    word: Mapped[str] = mapped_column(_WORD, primary_key=True)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entities.id"), primary_key=True)


class EntityContribution(Base):
    """What one submission says about one entity, and what its tablet had seen when it said so."""

    __tablename__ = "entity_contributions"
    __table_args__ = (
        UniqueConstraint("submission_id", "entity_id", "ordinal"),
        # Hardly anything waits: the others need not be in an index of what does.
        Index(
            "ix_entity_contributions_held", "entity_id",
            sqlite_where=text("waits_for IS NOT NULL"), postgresql_where=text("waits_for IS NOT NULL"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entities.id"), index=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"))
    list_name: Mapped[str] = mapped_column(String(255))
    path: Mapped[str] = mapped_column(String(255))
    ordinal: Mapped[int] = mapped_column(default=1)  # among all that the record says about this entity
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
    waits_for: Mapped[str | None] = mapped_column(String(64))  # what is missing before it
    forced: Mapped[bool] = mapped_column(default=False)  # applied although something is missing before it

    entity: Mapped[Entity] = relationship(back_populates="contributions")
    submission: Mapped[Submission] = relationship()


class EntityAct(Base):
    """What a person did to an entity without a form: create, update, delete or restore it. Only ever added to.

    A fact like a submission: the same fold takes it in, and `base_version` is the number that the person had seen.
    """

    __tablename__ = "entity_acts"

    id: Mapped[int] = mapped_column(primary_key=True)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entities.id"), index=True)
    uuid: Mapped[str] = mapped_column(String(36), unique=True)  # its name on every server
    action: Mapped[str] = mapped_column(String(8))
    base_version: Mapped[int | None]
    label: Mapped[str | None] = mapped_column(Text)
    properties: Mapped[dict[str, Any]]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("actors.id"))
    acted_at: Mapped[datetime]
    waits_for: Mapped[str | None] = mapped_column(String(64))  # what is missing before it

    entity: Mapped[Entity] = relationship(back_populates="acts")


class EntityRelease(Base):
    """That a record had waited for too long: a fact, like a person's decision. Only ever added to.

    `record` names the submission and what it says about the entity by names that hold on every server
    (entity_facts.py).
    """

    __tablename__ = "entity_releases"

    entity_id: Mapped[int] = mapped_column(ForeignKey("entities.id"), primary_key=True)
    record: Mapped[str] = mapped_column(String(640), primary_key=True)
    released_at: Mapped[datetime]


class IssuedVersion(Base):
    """What tablets were given under one number, and which contributions came and went since the number before.

    Never changed, only added to.
    """

    __tablename__ = "issued_versions"

    entity_id: Mapped[int] = mapped_column(ForeignKey("entities.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    added: Mapped[list[Any]]
    removed: Mapped[list[Any]]
    label: Mapped[str] = mapped_column(Text)
    properties: Mapped[dict[str, Any]]
    issued_at: Mapped[datetime]
    # From which other number it is told; None: from the one before it (branches.Issued).
    after: Mapped[int | None]

    entity: Mapped[Entity] = relationship(back_populates="issued")


class EntityGround(Base):
    """On a relay: what the centre served of an entity under its number, and what of ours was inside (`contains`).

    Blank and `deleted_at` once it left the sight of the relay's sites: a relay holds what its own tablets need.
    `erasures` counts those at the centre after which what was served here was forgotten.
    """

    __tablename__ = "entity_grounds"

    entity_id: Mapped[int] = mapped_column(ForeignKey("entities.id"), primary_key=True)
    number: Mapped[int]
    label: Mapped[str] = mapped_column(Text)
    properties: Mapped[dict[str, Any]]
    contains: Mapped[list[Any]]
    deleted_at: Mapped[datetime | None]
    erasures: Mapped[int] = mapped_column(default=0)


class EntityConflict(Base):
    """Values of one property between which a human must choose; `candidates` pairs contributions with values."""

    __tablename__ = "entity_conflicts"

    entity_id: Mapped[int] = mapped_column(ForeignKey("entities.id"), primary_key=True)
    property_name: Mapped[str] = mapped_column(String(255), primary_key=True)
    candidates: Mapped[list[Any]]
    base: Mapped[str | None] = mapped_column(Text)  # what all of them had before them
    opened_at: Mapped[datetime]  # since when a human is waited for, here; other servers have their own


class EntityDecision(Base):
    """A person's word about one property: the value that is to stand, and the values that they were shown.

    Only its undoing is ever added to it. `shown` pairs contributions with values, as in EntityConflict.
    """

    __tablename__ = "entity_decisions"

    id: Mapped[int] = mapped_column(primary_key=True)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entities.id"), index=True)
    # Its name on every server: conflicts and issued versions speak of it.
    uuid: Mapped[str] = mapped_column(String(36), unique=True)
    property_name: Mapped[str] = mapped_column(String(255))
    value: Mapped[str] = mapped_column(Text)
    shown: Mapped[list[Any]]
    shown_version: Mapped[int]
    reason: Mapped[str] = mapped_column(Text, default="")
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("actors.id"))
    decided_at: Mapped[datetime]
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("actors.id"))
    undone_at: Mapped[datetime | None]
    waits_for: Mapped[str | None] = mapped_column(String(1024))  # a record that it speaks of and that is not here yet

    entity: Mapped[Entity] = relationship(back_populates="decisions")


class EntityView(Base):
    """Counts the changes of a list's rows at one site: what tablets get of them is kept for as long as it stands."""

    __tablename__ = "entity_views"

    list_name: Mapped[str] = mapped_column(String(255), primary_key=True)
    site_code: Mapped[str] = mapped_column(String(255), primary_key=True)
    generation: Mapped[int]
