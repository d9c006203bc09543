"""Which person records are of one person: models, what they read of each record, pairs, verdicts, and what followed.

Rows speak of a record by its own person (`home_id`, persons.reference), which outlives every edit. Identities, keys and
pairs are computed and may be dropped at any time; decisions and activations are facts, only ever added to.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Double,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    exists,
    text,
)
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship

from sync.db import Base
from sync.models.actors import Actor
from sync.models.registry import Person

# SQLite clusters such a table by its key: the rows of one key lie side by side. PostgreSQL reads its key's index alone.
_NARROW = {"sqlite_with_rowid": False}
_UNANSWERED = "confirmed_at IS NULL AND undone_at IS NULL"


class LinkModelVersion(Base):
    """One frozen model (sync/linkage/model.py). Records are read by those that are kept: the active one, and rivals."""

    __tablename__ = "link_models"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(String(16), unique=True)  # the hash of its content
    content: Mapped[str] = mapped_column(Text)
    added_at: Mapped[datetime]
    added_by_id: Mapped[int | None] = mapped_column(ForeignKey("actors.id"))
    kept: Mapped[bool]
    filled_to: Mapped[int | None]  # it has read every record up to this home; None: all

    added_by: Mapped[Actor | None] = relationship()


class LinkReport(Base):
    """What a run of a model over the whole registry found (link_runs.py): figures, nothing about one person."""

    __tablename__ = "link_reports"

    id: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("link_models.id"), index=True)
    made_at: Mapped[datetime]
    content: Mapped[dict[str, Any]]

    model: Mapped[LinkModelVersion] = relationship()


class LinkActivation(Base):
    """That somebody made a model the active one. It takes effect when the model has read every record.

    The last one holds. The first was asked for by nobody: it is the model that shipped.
    """

    __tablename__ = "link_activations"

    id: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("link_models.id"))
    reason: Mapped[str] = mapped_column(Text)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("actors.id"))
    asked_at: Mapped[datetime | None]
    effective_at: Mapped[datetime | None]

    model: Mapped[LinkModelVersion] = relationship()
    actor: Mapped[Actor | None] = relationship()


class LinkProgress(Base):
    """One row: the active model, how many records there are, and how far persons are decided anew."""

    __tablename__ = "link_progress"

    id: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("link_models.id"))
    records: Mapped[int]
    # For so many records weights are made; another step of the prior decides all persons anew.
    size: Mapped[int]
    decided_to: Mapped[int | None]  # persons are decided up to this home; None: all
    cause: Mapped[str] = mapped_column(String(16))  # why they are: see LinkChange


class LinkIdentity(Base):
    """What a model reads of a record, once for all records that say the same to the letter."""

    __tablename__ = "link_identities"
    __table_args__ = (UniqueConstraint("model_id", "fingerprint"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("link_models.id"))
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(16))
    features: Mapped[bytes] = mapped_column(LargeBinary)  # packed: Features without its record_id
    records: Mapped[int]  # how many say it
    # What two records that both say it weigh against each other, as in LinkPair.
    own_bits: Mapped[float] = mapped_column(Double)
    own_corroborated: Mapped[bool]


class LinkMember(Base):
    """Which identity a record has under a model, and at which site: who may look for those of one site walks there."""

    __tablename__ = "link_members"
    __table_args__ = (
        Index("ix_link_members_identity_id", "identity_id"),
        Index("ix_link_members_site_id", "model_id", "site_id", "identity_id"),
        _NARROW,
    )

    model_id: Mapped[int] = mapped_column(ForeignKey("link_models.id"), primary_key=True)
    home_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    identity_id: Mapped[int] = mapped_column(ForeignKey("link_identities.id"))
    site_id: Mapped[int | None]  # the record's own


class LinkKey(Base):
    """A blocking key of an identity. Without foreign keys: to keep them would cost more than all the rest."""

    __tablename__ = "link_keys"
    __table_args__ = (
        # PostgreSQL clusters nothing: with the spread its index answers alone, and no row need be fetched.
        PrimaryKeyConstraint("model_id", "hash", "year", "identity_id", postgresql_include=["spread"]),
        _NARROW,
    )

    model_id: Mapped[int] = mapped_column(SmallInteger)
    hash: Mapped[int] = mapped_column(BigInteger)
    year: Mapped[int] = mapped_column(SmallInteger)
    identity_id: Mapped[int]
    spread: Mapped[int] = mapped_column(SmallInteger)


class LinkPair(Base):
    """Two identities worth a look, both ways round. `bits` are without the prior, which follows the registry's size.

    No foreign keys, as in LinkKey.
    """

    __tablename__ = "link_pairs"
    __table_args__ = (_NARROW,)

    one_id: Mapped[int] = mapped_column(primary_key=True)
    other_id: Mapped[int] = mapped_column(primary_key=True)
    bits: Mapped[float] = mapped_column(Double)
    corroborated: Mapped[bool]
    conflict: Mapped[bool]


class LinkDecision(Base):
    """What a person decided about records, named by their references: each of `left` against each of `right`.

    Kinds: same, apart, unlink and split (apart, from within a person), unsure, value (a golden value that stays). A
    record that is not here yet is waited for. Its confirming and its undoing are all that is ever added to it.
    """

    __tablename__ = "link_decisions"
    # Hardly any waits for a second person, and every page of the queue lists those that do.
    __table_args__ = (
        Index(
            "ix_link_decisions_waiting", "id",
            sqlite_where=text(f"needs_second = 1 AND {_UNANSWERED}"),
            postgresql_where=text(f"needs_second AND {_UNANSWERED}"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[str] = mapped_column(String(36), unique=True)  # its name on every server
    kind: Mapped[str] = mapped_column(String(8))
    left: Mapped[list[Any]]
    right: Mapped[list[Any]]
    property_name: Mapped[str | None] = mapped_column(String(64))
    value: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    model_version: Mapped[str | None] = mapped_column(String(16))
    # As they were shown: [name, bits, levels] each; of records that are parted ["pair", bits, [[one, other]]] each.
    weights: Mapped[list[Any]]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("actors.id"))
    decided_at: Mapped[datetime] = mapped_column(index=True)
    needs_second: Mapped[bool]  # a second person must agree before it holds
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("actors.id"))
    confirmed_at: Mapped[datetime | None]
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("actors.id"))
    undone_at: Mapped[datetime | None]
    # An upgrade may have rewritten the model since, and so given it another version.
    model_is_here: Mapped[bool] = column_property(exists().where(LinkModelVersion.version == model_version))

    actor: Mapped[Actor | None] = relationship(foreign_keys=[actor_id])
    confirmed_by: Mapped[Actor | None] = relationship(foreign_keys=[confirmed_by_id])
    undone_by: Mapped[Actor | None] = relationship(foreign_keys=[undone_by_id])


class LinkVerdict(Base):
    """A decision told pair by pair, both ways round, so that it is found from either record."""

    __tablename__ = "link_verdicts"
    __table_args__ = (Index("ix_link_verdicts_decision_id", "decision_id"),)

    record: Mapped[str] = mapped_column(String(16), primary_key=True)
    other: Mapped[str] = mapped_column(String(16), primary_key=True)
    decision_id: Mapped[int] = mapped_column(ForeignKey("link_decisions.id"), primary_key=True)

    decision: Mapped[LinkDecision] = relationship()


class LinkQuestion(Base):
    """Two records of two persons about whom a human is asked, and why; the smaller reference is `one`.

    Reasons are those of sync/linkage/decision.py. Found by the two identities when either is looked at anew.
    """

    __tablename__ = "link_questions"
    __table_args__ = (
        Index("ix_link_questions_other_id", "other_id"),
        Index("ix_link_questions_urgency", "urgency", "bits"),
        # Those met lately are read in this order: children first, then who was met last.
        Index("ix_link_questions_met_at", "urgency", "met_at"),
        Index("ix_link_questions_one_identity_id", "one_identity_id"),
        Index("ix_link_questions_other_identity_id", "other_identity_id"),
    )

    one_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    one_identity_id: Mapped[int]
    other_identity_id: Mapped[int]
    bits: Mapped[float] = mapped_column(Double)  # the prior included
    reason: Mapped[str] = mapped_column(String(16))
    opened_at: Mapped[datetime]  # here; other servers have their own
    # As sync/link_urgency.py weighs them: whatever the hour, and when one of the two was met last.
    urgency: Mapped[int] = mapped_column(SmallInteger, default=0)
    met_at: Mapped[datetime | None]

    one: Mapped[Person] = relationship(foreign_keys=[one_id])
    other: Mapped[Person] = relationship(foreign_keys=[other_id])


class LinkChange(Base):
    """That linking moved a record from one person to another, and what made it: record, decision, model or size.

    Only ever added to. Where it parted what was one person and people are asked about the parts, `asked` says which two
    records they are asked about.
    """

    __tablename__ = "link_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    home_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    from_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    to_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    cause: Mapped[str] = mapped_column(String(16))
    model_id: Mapped[int] = mapped_column(ForeignKey("link_models.id"))
    asked_one_id: Mapped[int | None]
    asked_other_id: Mapped[int | None]

    home: Mapped[Person] = relationship(foreign_keys=[home_id])
    before: Mapped[Person] = relationship(foreign_keys=[from_id])
    after: Mapped[Person] = relationship(foreign_keys=[to_id])
    model: Mapped[LinkModelVersion] = relationship()
