"""Relays: servers at posts without a link. What the centre knows of them, and what a relay knows of the centre."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sync.db import Base
from sync.models.devices import Device
from sync.models.sites import Site


class Relay(Base):
    """A relay as the centre knows it. `number` is the slot of its version numbers (numbering.py).

    `told` is what it last said of itself at `told_at`, by its own clock; `heard_at` is when that came, by ours.
    With it are kept, as `unplaced`, the codes of sites that it spoke of and that were not behind it.
    """

    __tablename__ = "relays"

    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(unique=True)
    actor_id: Mapped[int] = mapped_column(ForeignKey("actors.id"), unique=True)
    # Whose bundles are believed, and for whom they are sealed (bundles.py).
    public_key: Mapped[str | None] = mapped_column(String(64))
    enrolled_at: Mapped[datetime]
    heard_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    told: Mapped[dict[str, Any]]

    site: Mapped[Site] = relationship()


class RelayedSite(Base):
    """A site whose tablets talk to a relay: it gets the lists of these sites and of no others."""

    __tablename__ = "relayed_sites"

    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True, autoincrement=False)
    relay_id: Mapped[int] = mapped_column(ForeignKey("relays.site_id"), index=True)

    site: Mapped[Site] = relationship()


class RelayedDevice(Base):
    """A tablet behind a relay, under the name that it has there.

    `state_changed_at` is since when it is in the state that the relay told of last, by the relay's clock; it is None
    where the centre marked the tablet in a version that did not ask, until the relay tells of it again. `taken_at` is
    the moment that its state here began when we last took that over: while it stands, the state is the relay's word.
    """

    __tablename__ = "relayed_devices"

    relay_id: Mapped[int] = mapped_column(ForeignKey("relays.site_id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"), unique=True)
    state_changed_at: Mapped[datetime | None]
    taken_at: Mapped[datetime | None]

    device: Mapped[Device] = relationship()


class RelayedRecord(Base):
    """A record of which a relay told: when and from which tablet it came there. The record itself may come later."""

    __tablename__ = "relayed_records"
    __table_args__ = (UniqueConstraint("relay_id", "form_id", "instance_id", "xml_sha256"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    relay_id: Mapped[int] = mapped_column(ForeignKey("relays.site_id"))
    form_id: Mapped[str] = mapped_column(String(255))
    instance_id: Mapped[str] = mapped_column(String(255))
    xml_sha256: Mapped[str] = mapped_column(String(64), index=True)
    received_at: Mapped[datetime]
    device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id"))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"))
    collect_id: Mapped[str | None] = mapped_column(String(255))
    user_agent: Mapped[str | None] = mapped_column(String(255))
    # The digest of the line by which the relay last marked it: told again, it says nothing new.
    mark_digest: Mapped[str | None] = mapped_column(String(64))
    # Whether the relay has erased its answers, as far as they were erased at all.
    is_erased: Mapped[bool] = mapped_column(default=False)
    # Empty while the record has not come; an index says how many have not.
    submission_id: Mapped[int | None] = mapped_column(ForeignKey("submissions.id"), index=True)

    relay: Mapped[Relay] = relationship()


class RelayedEntity(Base):
    """An entity that a relay was given, so that it is told when the entity is none of its tablets' any more.

    `erasures` counts those of the erased records that speak of it after which the relay has forgotten what it served.
    """

    __tablename__ = "relayed_entities"

    relay_id: Mapped[int] = mapped_column(ForeignKey("relays.site_id"), primary_key=True)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entities.id"), primary_key=True)
    erasures: Mapped[int] = mapped_column(default=0)


class AwaitedFile(Base):
    """A file of which a relay told with a record, and which is not here with the record yet (awaited_files.py)."""

    __tablename__ = "awaited_files"

    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True, index=True)


class FilePiece(Base):
    """A piece of a file on its way over a bad link. They go when the last one has come and the whole is stored.

    They also go when none has come for long (pieces.py): the record may have been erased where it is.
    """

    __tablename__ = "file_pieces"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    start: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    kept_at: Mapped[datetime]


class PeerReceipt(Base):
    """What a peer took of what we told it: the digest of a line by the digest of its name. Peer 0 is the centre."""

    __tablename__ = "peer_receipts"

    peer_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))


class OwedReceipt(Base):
    """A receipt that goes to the peer with our bundles until we know that one of them came there."""

    __tablename__ = "owed_receipts"

    peer_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    owed_at: Mapped[datetime]


class Upstream(Base):
    """On a relay, one row: its number, when the centre was last heard of, and how the last try to reach it ended.

    `told_at` is the centre's own time of what was last taken in: an older bundle changes no state back.
    """

    __tablename__ = "upstream"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]
    heard_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    tried_at: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(Text, default="")
    # What the centre had not taken when that try ended; what came since is counted apart.
    waiting: Mapped[int] = mapped_column(default=0)
    oldest_at: Mapped[datetime | None]
