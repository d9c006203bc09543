"""What supervisors say about the programme's own figures."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sync.db import Base
from sync.models.actors import Actor


class HeadcountExplanation(Base):
    """Why an event's head-count does not close, said of the `numbers` that were shown. Only withdrawing is added.

    An event is named as in its list, not by its row: a registry that is folded anew has other rows.
    """

    __tablename__ = "headcount_explanations"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_uuid: Mapped[str] = mapped_column(String(36), index=True)
    numbers: Mapped[str] = mapped_column(String(64))  # as programme/headcount.py writes them
    reason: Mapped[str] = mapped_column(Text)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("actors.id"))
    explained_at: Mapped[datetime]
    withdrawn_by_id: Mapped[int | None] = mapped_column(ForeignKey("actors.id"))
    withdrawn_at: Mapped[datetime | None]

    actor: Mapped[Actor | None] = relationship(foreign_keys=[actor_id])
