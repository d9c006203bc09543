"""The queue of pairs that people are asked about, and the order in which an answer is worth most.

What a reviewer sees of one pair is link_view.py's work, what they say is link_decisions.py's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, exists, func, select
from sqlalchemy.orm import Session, aliased

from sync.link_decisions import WAITING
from sync.link_samples import list_samples
from sync.link_urgency import FRESH, URGENT, QueuedSide, find_signs
from sync.models import LinkDecision, LinkInquiry, LinkQuestion, LinkVerdict, Person, PersonRecord
from sync.policy import Viewer
from sync.scopes import scope_people

# So many are put in order of those who can still be asked, and of the others: first all that are urgent, then the
# likeliest, for an answer about the rest is worth little.
_MOST = 2000


@dataclass(frozen=True, slots=True)
class Queued:
    """A question with what it is about; `signs` say why it is urgent, or why it can wait."""

    one_id: int
    other_id: int
    bits: float
    reason: str
    opened_at: datetime
    records: int
    signs: tuple[str, ...]

    @property
    def value(self) -> float:
        """How many records an answer is expected to bring together: the chance of a yes, times the smaller side."""
        return self.records / (1 + 2 ** -max(-60.0, min(60.0, self.bits)))


# The reason of a pair that nobody is asked about for its own sake.
DRAWN = "drawn"
_CAN_WAIT = {"asked": 1, "unsure": 1, "unconfirmed": 2}


def sort_queue(queue: Iterable[Queued]) -> list[Queued]:
    """What can wait comes last; of the rest the urgent, then those whose answer is worth most, then the oldest.

    The few that were drawn to measure the model follow the urgent: behind thousands of others nobody would see them.
    """

    def order(one: Queued) -> tuple[int, int, bool, float, datetime, int, int]:
        urgency = sum(URGENT.get(sign, 0) for sign in one.signs)
        waits = max((_CAN_WAIT.get(sign, 0) for sign in one.signs), default=0)
        drawn = one.reason == DRAWN
        return waits, -urgency, not drawn, -round(one.value, 3), one.opened_at, one.one_id, one.other_id

    return sorted(queue, key=order)


_READ = ("age_band", "age", "birth_date", "ended_at", "person_id")
_one, _other = aliased(PersonRecord), aliased(PersonRecord)


def count_questions(session: Session, viewer: Viewer) -> int:
    """How many questions are open of those that the viewer may answer: one for each two persons."""
    one, other = _one.person_id, _other.person_id
    persons = select(case((one < other, one), else_=other).label("less"), case((one < other, other), else_=one))
    asked = _scoped(persons.select_from(LinkQuestion).distinct(), viewer).subquery()
    return session.scalar(select(func.count(asked.c.less))) or 0


def list_queue(session: Session, viewer: Viewer, now: datetime) -> list[Queued]:
    """The urgent and the likeliest open questions that the viewer may answer, in the order to answer them in.

    A few drawn pairs are among them. Two persons are one question, put by their most urgent pair, of those the
    heaviest: an answer to it settles the others.
    """
    sides = [
        getattr(side, name).label(f"{label}_{name}")
        for label, side in (("one", _one), ("other", _other))
        for name in _READ
    ]
    asked = _scoped(select(LinkQuestion, *sides), viewer)
    first = asked.order_by(LinkQuestion.urgency.desc(), LinkQuestion.bits.desc(), LinkQuestion.one_id).limit(_MOST)
    found = [*session.execute(first), *session.execute(first.where(LinkQuestion.met_at >= now - FRESH))]
    foremost: dict[frozenset[int], Row[*tuple[Any, ...]]] = {}
    for row in sorted(found, key=lambda row: (-row[0].urgency, -row[0].bits, row[0].one_id, row[0].other_id)):
        foremost.setdefault(frozenset((row.one_person_id, row.other_person_id)), row)
    rows = list(foremost.values())
    sizes = _count_records(session, {person for row in rows for person in (row.one_person_id, row.other_person_id)})
    known = _list_known_signs(session, {home for row in rows for home in (row[0].one_id, row[0].other_id)})
    drawn = [
        Queued(one.one_id, one.other_id, one.bits, DRAWN, one.drawn_at, 1, ()) for one in list_samples(session, viewer)
    ]
    return sort_queue([*drawn, *(_queue(row, sizes, known, now) for row in rows)])


def _scoped(found: Select[Any], viewer: Viewer) -> Select[Any]:
    """Questions whose two records the viewer may both read."""
    joined = found.join(_one, _one.home_id == LinkQuestion.one_id).join(_other, _other.home_id == LinkQuestion.other_id)
    return scope_people(scope_people(joined, viewer, _one), viewer, _other)


def _queue(
    row: Row[*tuple[Any, ...]], sizes: dict[int, int], known: dict[tuple[int, int], str], now: datetime
) -> Queued:
    asked: LinkQuestion = row[0]
    sides = [_read_side(row, label) for label in ("one", "other")]
    ends = (min(asked.one_id, asked.other_id), max(asked.one_id, asked.other_id))
    signs = (*find_signs(sides, now), *([known[ends]] if ends in known else []))
    records = min(sizes.get(row.one_person_id, 1), sizes.get(row.other_person_id, 1))
    return Queued(asked.one_id, asked.other_id, asked.bits, asked.reason, asked.opened_at, records, signs)


def _read_side(row: Row[*tuple[Any, ...]], label: str) -> QueuedSide:
    age_band, age, born, ended_at = (getattr(row, f"{label}_{name}") for name in _READ[:4])
    return QueuedSide(age_band, age, born.year if born else None, ended_at)


def _count_records(session: Session, persons: set[int]) -> dict[int, int]:
    counted = select(PersonRecord.person_id, func.count()).where(PersonRecord.person_id.in_(persons))
    return {row[0]: row[1] for row in session.execute(counted.group_by(PersonRecord.person_id))}


def _list_known_signs(session: Session, homes: set[int]) -> dict[tuple[int, int], str]:
    """Pairs of these homes about which somebody could not tell, a site was asked, or a decision awaits a second
    person: the last that holds of a pair."""
    inquiries = select(LinkInquiry.home_id, LinkInquiry.other_id, LinkInquiry.answered_at)
    asked = {
        (min(home, other), max(home, other)): "answered" if answered_at else "asked"
        for home, other, answered_at in session.execute(
            inquiries.where(LinkInquiry.home_id.in_(homes), LinkInquiry.withdrawn_at.is_(None)).order_by(LinkInquiry.id)
        )
    }
    unsure = and_(LinkDecision.kind == "unsure", LinkDecision.undone_at.is_(None))
    unconfirmed = _list_decided(session, homes, WAITING, "unconfirmed")
    return _list_decided(session, homes, unsure, "unsure") | asked | unconfirmed


def _list_decided(
    session: Session, homes: set[int], condition: ColumnElement[bool], sign: str
) -> dict[tuple[int, int], str]:
    left, right = aliased(Person), aliased(Person)
    found = (
        select(left.id, right.id)
        .select_from(LinkVerdict)
        .join(LinkDecision, LinkDecision.id == LinkVerdict.decision_id)
        .join(left, left.reference == LinkVerdict.record)
        .join(right, right.reference == LinkVerdict.other)
        .where(condition, left.id.in_(homes), left.id < right.id)
    )
    return {(row[0], row[1]): sign for row in session.execute(found)}


def list_unconfirmed(session: Session, viewer: Viewer) -> Sequence[LinkDecision]:
    """Decisions that wait for a second person, of those whose records the viewer may all read; the oldest first."""
    waiting = scope_link_decisions(select(LinkDecision).where(WAITING), viewer)
    return session.scalars(waiting.order_by(LinkDecision.id)).all()


def list_latest(session: Session, viewer: Viewer, limit: int = 100) -> Sequence[LinkDecision]:
    """The latest decisions about records that the viewer may all read, newest first."""
    latest = scope_link_decisions(select(LinkDecision), viewer).order_by(LinkDecision.id.desc())
    return session.scalars(latest.limit(limit)).all()


def scope_link_decisions(found: Select[LinkDecision], viewer: Viewer) -> Select[LinkDecision]:
    """Keep the decisions that speak of no record which the viewer may not read, or which is not here."""
    readable = scope_people(select(PersonRecord.id), viewer).where(PersonRecord.reference == LinkVerdict.record)
    hidden = exists().where(LinkVerdict.decision_id == LinkDecision.id, ~readable.exists())
    told = exists().where(LinkVerdict.decision_id == LinkDecision.id)
    return found.where(told, ~hidden)


def find_homes(session: Session, decisions: Sequence[LinkDecision]) -> list[tuple[int, int] | None]:
    """Of each decision the first record of either side, by home; None where it is about one record alone."""
    ends = [(one.left[0], one.right[0]) if one.right else None for one in decisions]
    named = Person.reference.in_({reference for pair in ends if pair for reference in pair})
    homes = {row.reference: row.id for row in session.execute(select(Person.reference, Person.id).where(named))}
    return [(homes[pair[0]], homes[pair[1]]) if pair and homes.keys() >= {*pair} else None for pair in ends]
