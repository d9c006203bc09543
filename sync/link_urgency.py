"""What makes a question about two records urgent: a child, a site that has answered, somebody who can still be asked.

Who was met lately changes by the hour; the rest is written down with the question, so that what is urgent is found
among thousands however little it weighs.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, or_, select, update
from sqlalchemy.orm import Session

from sync.among import among
from sync.models import LinkInquiry, LinkQuestion, PersonRecord

# So long after a record the person may still be at the place, and can be asked.
FRESH = timedelta(days=3)
URGENT = {"answered": 4, "child": 2, "fresh": 1}
_CHILD_YEARS = 18
_CHILD_BANDS = frozenset({"0_4", "5_11", "12_17"})


_question = LinkQuestion.__table__
# Statements are built once: SQLAlchemy's building and hashing would cost more than SQLite's running them.
_SIDES = select(
    PersonRecord.home_id, PersonRecord.age_band, PersonRecord.age, PersonRecord.birth_date, PersonRecord.ended_at
).where(among(PersonRecord.home_id))
_ANSWERED = select(LinkInquiry.home_id, LinkInquiry.other_id).where(
    among(LinkInquiry.home_id), LinkInquiry.answered_at.is_not(None)
)
_ASKED_ABOUT = select(LinkQuestion.one_id, LinkQuestion.other_id).where(
    or_(among(LinkQuestion.one_id), among(LinkQuestion.other_id))
)
_RENEW = (
    update(LinkQuestion)
    .where(_question.c.one_id == bindparam("one"), _question.c.other_id == bindparam("another"))
    .values(urgency=bindparam("weight"), met_at=bindparam("met_at"))
)


@dataclass(frozen=True, slots=True)
class QueuedSide:
    """What the order of the queue looks at in a record."""

    age_band: str | None
    age: int | None
    born_year: int | None
    ended_at: datetime | None

    def is_child(self) -> bool:
        """Whether the record tells of a child; who is neither known as one nor as grown up is none."""
        if self.age_band or self.age is not None:
            return self.age_band in _CHILD_BANDS or (self.age is not None and self.age < _CHILD_YEARS)
        return self.born_year is not None and self.ended_at is not None and self._years() < _CHILD_YEARS

    def _years(self) -> int:
        return self.ended_at.year - self.born_year if self.ended_at and self.born_year else _CHILD_YEARS


class Urgency(NamedTuple):
    """What is written down with a question: how urgent it is but for the hour, and when one of the two was met last."""

    weight: int
    met_at: datetime | None


def find_signs(urgency: int, *, fresh: bool) -> tuple[str, ...]:
    """Why a question is urgent, by what is written down with it: a child is among the two, or one can still be asked.

    `fresh`: one of them was met so lately. That their site has answered is told with what else was done about them.
    """
    return tuple(name for name, holds in (("child", urgency & URGENT["child"]), ("fresh", fresh)) if holds)


def read_urgency(connection: Connection, pairs: Collection[tuple[int, int]]) -> dict[tuple[int, int], Urgency]:
    """How urgent these pairs of records are, by their homes."""
    homes = set(chain.from_iterable(pairs))
    sides = _read_sides(connection, homes)
    answered = _list_answered(connection, homes)
    return {pair: _weigh([sides[home] for home in pair if home in sides], {*pair} in answered) for pair in pairs}


def _weigh(sides: Collection[QueuedSide], answered: bool) -> Urgency:
    child = any(one.is_child() for one in sides)
    met_at = max((one.ended_at for one in sides if one.ended_at), default=None)
    return Urgency(URGENT["answered"] * answered + URGENT["child"] * child, met_at)


def _read_sides(connection: Connection, homes: Collection[int]) -> dict[int, QueuedSide]:
    rows = connection.execute(_SIDES, {"ids": homes})
    return {
        home: QueuedSide(band, age, born.year if born else None, ended_at) for home, band, age, born, ended_at in rows
    }


def _list_answered(connection: Connection, homes: Collection[int]) -> list[set[int]]:
    return [{*row} for row in connection.execute(_ANSWERED, {"ids": homes})]


def renew_urgency(connection: Connection, homes: Collection[int]) -> None:
    """Weigh the open questions about these records anew: an edit may say more of them than a model reads."""
    pairs = [(one, other) for one, other in connection.execute(_ASKED_ABOUT, {"ids": homes})]
    told = [
        {"one": one, "another": other, **urgency._asdict()}
        for (one, other), urgency in read_urgency(connection, pairs).items()
    ]
    if told:
        connection.execute(_RENEW, told)


def mark_answered(session: Session, inquiry: LinkInquiry) -> None:
    """Let the open question about these two records come first: its site has answered."""
    ends = (inquiry.home_id, inquiry.other_id), (inquiry.other_id, inquiry.home_id)
    about = or_(*((LinkQuestion.one_id == one) & (LinkQuestion.other_id == other) for one, other in ends))
    unmarked = LinkQuestion.urgency < URGENT["answered"]
    more = LinkQuestion.urgency + URGENT["answered"]
    session.execute(update(LinkQuestion).where(about, unmarked).values(urgency=more))
