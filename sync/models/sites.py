"""Sites: where tablets and people work."""

from datetime import datetime

from sqlalchemy import String
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
