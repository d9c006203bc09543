"""The work around links that is no fact of the registry.

What a site is asked about a record, checks of links, and pairs that were drawn to measure a model.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Double, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sync.db import Base
from sync.models.actors import Actor
from sync.models.registry import Person
from sync.models.sites import Site


class LinkInquiry(Base):
    """What a reviewer asks the site where a record was made. The site is not told with whom it is compared."""

    __tablename__ = "link_inquiries"

    id: Mapped[int] = mapped_column(primary_key=True)
    home_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)  # whose record is asked about
    other_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), index=True)
    properties: Mapped[list[Any]]  # what of the record is to be made sure of
    note: Mapped[str] = mapped_column(Text)
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("actors.id"))
    asked_at: Mapped[datetime]
    answer: Mapped[str | None] = mapped_column(String(16))  # right, wrong or unknown
    answer_note: Mapped[str] = mapped_column(Text, default="")
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("actors.id"))
    answered_at: Mapped[datetime | None]
    withdrawn_by_id: Mapped[int | None] = mapped_column(ForeignKey("actors.id"))
    withdrawn_at: Mapped[datetime | None]  # before it was answered: the site is asked no more

    home: Mapped[Person] = relationship(foreign_keys=[home_id])
    site: Mapped[Site] = relationship()
    asked_by: Mapped[Actor] = relationship(foreign_keys=[asked_by_id])
    answered_by: Mapped[Actor | None] = relationship(foreign_keys=[answered_by_id])

    @property
    def is_open(self) -> bool:
        """Whether the site is still asked."""
        return self.answered_at is None and self.withdrawn_at is None


class LinkCheck(Base):
    """What one of two people said of a link that was made without any: both look without seeing the other's answer."""

    __tablename__ = "link_checks"

    home_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    actor_id: Mapped[int] = mapped_column(ForeignKey("actors.id"), primary_key=True)
    answer: Mapped[str] = mapped_column(String(16))  # same, apart or unsure
    checked_at: Mapped[datetime]


class LinkSample(Base):
    """Two records that nobody is asked about otherwise, drawn so that people tell what the model lets go by.

    `chance` is how likely such a pair was to be drawn: the answer speaks for all those that were not.
    """

    __tablename__ = "link_samples"

    one_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("link_models.id"))
    bits: Mapped[float] = mapped_column(Double)  # the prior included
    chance: Mapped[float] = mapped_column(Double)
    drawn_at: Mapped[datetime]
