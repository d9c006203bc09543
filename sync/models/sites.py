"""Sites: where tablets and people work, and what tablets were told about them before."""

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from sync.db import Base

SITE_KINDS = ("border_post", "centre", "mobile_patrol", "landing_place", "relay", "headquarters")


class Site(Base):
    __tablename__ = "sites"

    id: Mapped[int] = mapped_column(primary_key=True)
    # What forms carry (`name` in sites.csv), so it never changes.
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(32))
    region: Mapped[str | None] = mapped_column(String(8))  # ISO 3166-2
    capacity: Mapped[int | None]
    languages: Mapped[str] = mapped_column(String(64), default="")
    phone: Mapped[str] = mapped_column(String(32), default="")
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class EarlierList(Base):
    """A list that the server makes, in a state that it no longer has. Never changed, only added to."""

    __tablename__ = "earlier_lists"

    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)
