"""Tablets, what they fetched, and alerts about them. Their credentials belong to server/accounts."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sync.db import Base
from sync.models.sites import Site

DEVICE_STATES = ("active", "drained", "lost", "revoked")


class Device(Base):
    """One tablet as it is enrolled: a reinstall of Collect changes `collect_id`, not the device."""

    __tablename__ = "devices"

    id: Mapped[int] = mapped_column(primary_key=True)
    actor_id: Mapped[int] = mapped_column(ForeignKey("actors.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), index=True)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    state: Mapped[str] = mapped_column(String(16), default="active")
    language: Mapped[str] = mapped_column(String(8), default="fr")
    enrolled_at: Mapped[datetime]
    state_changed_at: Mapped[datetime]
    # On a relay, where the state is the centre's word: when that was given, by the centre's clock.
    obeyed_at: Mapped[datetime | None]

    # The last contact of any kind: a silent tablet and a tablet without records differ.
    last_contact_at: Mapped[datetime | None]
    last_contact_kind: Mapped[str | None] = mapped_column(String(16))
    last_submission_at: Mapped[datetime | None]
    collect_id: Mapped[str | None] = mapped_column(String(255))  # the query's deviceID
    collect_version: Mapped[str | None] = mapped_column(String(64))
    android_version: Mapped[str | None] = mapped_column(String(64))
    # Proven by a record whose own end lies after its receipt; None is "unknown", never "right".
    clock_ahead_s: Mapped[int | None]

    site: Mapped[Site] = relationship()


class DeviceFetch(Base):
    """One file in one state that a tablet fetched: what it can have had on board when it filled a record."""

    __tablename__ = "device_fetches"
    __table_args__ = (
        Index("uq_device_fetches_what", "device_id", "kind", "form_id", "version", "name", "hash", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"))
    kind: Mapped[str] = mapped_column(String(16))  # form, media or list
    form_id: Mapped[str] = mapped_column(String(255))
    version: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(255), default="")
    hash: Mapped[str] = mapped_column(String(64))
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]


class Alert(Base):
    """Something about a tablet or site that a supervisor should see until it is settled."""

    __tablename__ = "alerts"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    raised_at: Mapped[datetime]
    device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id"), index=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"), index=True)
    params: Mapped[dict[str, Any]]
    settled_at: Mapped[datetime | None]
    settled_by_id: Mapped[int | None] = mapped_column(ForeignKey("actors.id"))
