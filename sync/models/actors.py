"""Who acted. Accounts of the server (users, tablet credentials) point at an actor, and so does every journal."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from sync.db import Base


class Actor(Base):
    """`kind` is user, device or system; `display_name` is what a journal shows."""

    __tablename__ = "actors"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    display_name: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime]
