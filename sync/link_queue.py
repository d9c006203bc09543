"""The queue of pairs that people are asked about, and the order in which an answer is worth most.

What a reviewer sees of one pair is link_view.py's work, what they say is link_decisions.py's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, exists, false, func, or_, select
from sqlalchemy.orm import Session, aliased

from sync.db import plan_by_values
from sync.link_decisions import WAITING
from sync.link_samples import list_samples
from sync.link_urgency import FRESH, URGENT, find_signs
from sync.models import LinkDecision, LinkInquiry, LinkQuestion, LinkVerdict, Person, PersonRecord
from sync.policy import Viewer
from sync.scopes import scope_people

# So many are put in order of those who can still be asked, and of the others: first all that are urgent, then the
# latest met and the likeliest, for an answer about the rest is worth little.
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


_one, _other, _mate = aliased(PersonRecord), aliased(PersonRecord), aliased(PersonRecord)


def _is_decided(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether there is such a decision about the two records of a question."""
    return exists(
        select(LinkVerdict.decision_id)
        .join(LinkDecision, LinkDecision.id == LinkVerdict.decision_id)
        .where(LinkVerdict.record == _one.reference, LinkVerdict.other == _other.reference, condition)
        .correlate(_one, _other)
    )


def _count_records(side: Any) -> ColumnElement[int]:
    """How many records the person of this side has."""
    return select(func.count()).where(_mate.person_id == side.person_id).correlate(side).scalar_subquery()


_unsure = and_(LinkDecision.kind == "unsure", LinkDecision.undone_at.is_(None))
_asked_last = (
    select(case((LinkInquiry.answered_at.is_not(None), "answered"), else_="asked"))
    .where(LinkInquiry.withdrawn_at.is_(None))
    .where(
        or_(
            and_(LinkInquiry.home_id == LinkQuestion.one_id, LinkInquiry.other_id == LinkQuestion.other_id),
            and_(LinkInquiry.home_id == LinkQuestion.other_id, LinkInquiry.other_id == LinkQuestion.one_id),
        )
    )
    .order_by(LinkInquiry.id.desc())
    .limit(1)
    .correlate(LinkQuestion)
    .scalar_subquery()
)
# What was done about the pair: a decision awaits a second person, a site was asked, somebody could not tell.
_known = func.coalesce(
    case((_is_decided(WAITING), "unconfirmed")), _asked_last, case((_is_decided(_unsure), "unsure"))
)  # fmt: skip
# All that the order asks of a question, and no more: thousands are read for each page.
_OPEN = select(
    LinkQuestion.one_id, LinkQuestion.other_id, LinkQuestion.bits, LinkQuestion.reason, LinkQuestion.opened_at,
    LinkQuestion.urgency, _one.person_id.label("person"), _other.person_id.label("rival"), _known.label("known"),
    _count_records(_one).label("own_records"), _count_records(_other).label("rival_records"),
)  # fmt: skip


def count_questions(session: Session, viewer: Viewer) -> int:
    """How many questions are open of those that the viewer may answer: one for each two persons."""
    plan_by_values(session.connection())
    one, other = _one.person_id, _other.person_id
    persons = select(case((one < other, one), else_=other).label("less"), case((one < other, other), else_=one))
    asked = _scoped(persons.select_from(LinkQuestion).distinct(), viewer).subquery()
    return session.scalar(select(func.count(asked.c.less))) or 0


def list_queue(session: Session, viewer: Viewer, now: datetime) -> list[Queued]:
    """The urgent and the likeliest open questions that the viewer may answer, in the order to answer them in.

    A few drawn pairs are among them. Two persons are one question, put by their most urgent pair, of those the
    heaviest: an answer to it settles the others.
    """
    drawn = [
        Queued(one.one_id, one.other_id, one.bits, DRAWN, one.drawn_at, 1, ()) for one in list_samples(session, viewer)
    ]
    return sort_queue([*drawn, *map(_queue, _list_foremost(session, viewer, now))])


def _list_foremost(session: Session, viewer: Viewer, now: datetime) -> Iterable[Row[*tuple[Any, ...]]]:
    """Of the likeliest questions, and of those about who was met lately, one for each two persons."""
    # What one site may read is few among the many that one plan for all viewers would walk through.
    plan_by_values(session.connection())
    lately = LinkQuestion.met_at >= now - FRESH
    asked = _scoped(_OPEN.add_columns(func.coalesce(lately, false()).label("fresh")), viewer).limit(_MOST)
    urgency, one_id = LinkQuestion.urgency.desc(), LinkQuestion.one_id
    likeliest = session.execute(asked.order_by(urgency, LinkQuestion.bits.desc(), one_id))
    latest = session.execute(asked.where(lately).order_by(urgency, LinkQuestion.met_at.desc(), one_id))
    foremost: dict[frozenset[int], Row[*tuple[Any, ...]]] = {}
    for row in sorted(chain(likeliest, latest), key=lambda row: (-row.urgency, -row.bits, row.one_id, row.other_id)):
        foremost.setdefault(frozenset((row.person, row.rival)), row)
    return foremost.values()


def _scoped(found: Select[Any], viewer: Viewer) -> Select[Any]:
    """Questions whose two records the viewer may both read."""
    joined = found.join(_one, _one.home_id == LinkQuestion.one_id).join(_other, _other.home_id == LinkQuestion.other_id)
    return scope_people(scope_people(joined, viewer, _one), viewer, _other)


def _queue(row: Row[*tuple[Any, ...]]) -> Queued:
    signs = find_signs(row.urgency, fresh=row.fresh) + ((row.known,) if row.known else ())
    records = min(row.own_records, row.rival_records)
    return Queued(row.one_id, row.other_id, row.bits, row.reason, row.opened_at, records, signs)


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
