"""Other servers that speak Central's `/v1`: who they are, how far each was read, what it was told, and every run.

Credentials are none of it: a peer names them, and the environment or a file has them (server/config.py).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sync.db import Base
from sync.models.actors import Actor
from sync.models.sites import Site

DIRECTIONS = ("pull", "push", "both")


class Peer(Base):
    """One project of another server. `pulls` are the forms to read (none: all); nothing is pushed that is not named."""

    __tablename__ = "peers"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    address: Mapped[str] = mapped_column(String(255))
    project_id: Mapped[int]
    direction: Mapped[str] = mapped_column(String(8))
    credentials: Mapped[str] = mapped_column(String(64))
    pulls: Mapped[list[Any]]
    publishes: Mapped[list[Any]]
    lists: Mapped[list[Any]]
    # Where what is read counts as received, for roles that see one site only.
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"))
    actor_id: Mapped[int] = mapped_column(ForeignKey("actors.id"))
    created_at: Mapped[datetime]
    paused_at: Mapped[datetime | None]

    site: Mapped[Site | None] = relationship()
    actor: Mapped[Actor] = relationship()

    @property
    def pulls_records(self) -> bool:
        return self.direction in ("pull", "both")

    @property
    def pushes(self) -> bool:
        return self.direction in ("push", "both")


class PeerForm(Base):
    """Until when, by the peer's own clock, everything of a form is here, and which records lay in its bin then."""

    __tablename__ = "peer_forms"

    peer_id: Mapped[int] = mapped_column(ForeignKey("peers.id"), primary_key=True)
    form_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    read_until: Mapped[datetime]
    binned: Mapped[list[Any]] = mapped_column(default=list)


class PeerRecord(Base):
    """A record that came from a peer, as it was there when it was last read, and what the peer was told about it."""

    __tablename__ = "peer_records"
    __table_args__ = (UniqueConstraint("peer_id", "form_id", "instance_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    peer_id: Mapped[int] = mapped_column(ForeignKey("peers.id"))
    form_id: Mapped[str] = mapped_column(String(255))
    instance_id: Mapped[str] = mapped_column(String(255))  # the first version's, which names the record there
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), index=True)  # the newest version's row
    changed_at: Mapped[datetime]
    edits: Mapped[int]
    files: Mapped[int]
    review_state: Mapped[str | None] = mapped_column(String(16))
    is_stale: Mapped[bool] = mapped_column(default=False)  # somebody wants it read once more
    # When the verdict was reached that the peer knows, the comment that told it (as a hash), and the state we set.
    judged_at: Mapped[datetime | None]
    told_sha256: Mapped[str | None] = mapped_column(String(64))
    told_state: Mapped[str | None] = mapped_column(String(16))


class PeerList(Base):
    """An entity list that was found equal to ours, and the state of ours at that moment."""

    __tablename__ = "peer_lists"

    peer_id: Mapped[int] = mapped_column(ForeignKey("peers.id"), primary_key=True)
    list_name: Mapped[str] = mapped_column(String(255), primary_key=True)
    state: Mapped[str] = mapped_column(String(64))
    equal_at: Mapped[datetime]


class PeerRun(Base):
    """One exchange: how much of what moved, and what went wrong as codes of the catalogue, without any answer."""

    __tablename__ = "peer_runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    peer_id: Mapped[int] = mapped_column(ForeignKey("peers.id"), index=True)
    started_at: Mapped[datetime] = mapped_column(index=True)
    finished_at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(String(16))  # done, stopped or failed
    counts: Mapped[dict[str, Any]]
    problems: Mapped[list[Any]]

    peer: Mapped[Peer] = relationship()
