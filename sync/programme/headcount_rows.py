"""Head-counts in the database: events with the number of their stays, and what supervisors said of gaps.

The equation is headcount.py's. Nothing of it is stored: whatever comes, goes or is corrected counts at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from forms.errors import N_, FormsError
from sync.audit import add_audit_event
from sync.models import Entity, EntityContribution, HeadcountExplanation, Submission
from sync.policy import Viewer
from sync.programme.headcount import Headcount, HeadcountState, read_headcount
from sync.scopes import scope_entities, scope_submissions
from sync.settings import get_setting

EVENTS, STAYS = "evenements", "dossiers"
_SHORTEST_REASON, _LONGEST_REASON, _LONGEST_NUMBERS = 10, 1000, 64

_Stay = aliased(Entity)
_ARRIVALS = (
    select(func.count())
    .where(_Stay.list_name == STAYS, _Stay.parent_uuid == Entity.uuid, _Stay.exists)
    .correlate(Entity)
    .scalar_subquery()
)
_EVENTS = select(Entity.uuid, Entity.site_code, Entity.properties, Entity.open_conflicts, _ARRIVALS.label("arrivals"))


class HeadcountRefused(FormsError):
    """An explanation that cannot stand."""

    messages = {
        "headcount_reason": N_("Say in %(least)s to %(most)s characters why the count does not close."),
        "headcount_moved": N_("The numbers have changed meanwhile. Look at them again."),
        "headcount_closes": N_("This count closes: nothing is to be explained."),
    }


@dataclass(frozen=True, slots=True)
class Standing:
    """A head-count and what becomes of it now."""

    count: Headcount
    state: HeadcountState


@dataclass(frozen=True, slots=True)
class Arrival:
    """A record of arrivals and how many stays of the event it opened."""

    submission: Submission
    stays: int


def list_headcounts(session: Session, viewer: Viewer | None, now: datetime) -> list[Standing]:
    """Every event that the viewer may know of with its head-count, the oldest first; without a viewer all of them."""
    rows = session.execute(_scoped(viewer)).all()
    explained = _read_explained(session, [row.uuid for row in rows])
    patience = timedelta(hours=get_setting(session, "headcount_hours"))
    counts = [_read(row) for row in rows]
    found = [Standing(one, one.find_state(explained.get(one.uuid, ()), now, patience)) for one in counts]
    # One whose day cannot be read comes first.
    return sorted(found, key=lambda one: (one.count.at is not None, one.count.at, one.count.uuid))


def list_open_gaps(session: Session, viewer: Viewer | None, now: datetime) -> list[Headcount]:
    """The head-counts that somebody must look at."""
    return [one.count for one in list_headcounts(session, viewer, now) if one.state == "open"]


def find_headcount(session: Session, viewer: Viewer, uuid: str, now: datetime) -> Standing | None:
    """The head-count of one event, if the viewer may know of it."""
    row = session.execute(_scoped(viewer).where(Entity.uuid == uuid)).one_or_none()
    if row is None:
        return None
    explained = _read_explained(session, [uuid]).get(uuid, set())
    count, patience = _read(row), timedelta(hours=get_setting(session, "headcount_hours"))
    return Standing(count, count.find_state(explained, now, patience))


def list_arrivals(session: Session, viewer: Viewer, uuid: str) -> list[Arrival]:
    """The records that opened stays of this event, as far as the viewer may know of them."""
    opened = (
        select(EntityContribution.submission_id, func.count().label("stays"))
        .join(Entity, Entity.id == EntityContribution.entity_id)
        .where(Entity.list_name == STAYS, Entity.parent_uuid == uuid, Entity.exists)
        .where(EntityContribution.counts, EntityContribution.action != "update")
        .group_by(EntityContribution.submission_id)
        .subquery()
    )
    records = select(Submission, opened.c.stays).join(opened, opened.c.submission_id == Submission.id)
    rows = session.execute(scope_submissions(records.order_by(Submission.received_at, Submission.id), viewer))
    return [Arrival(row[0], row[1]) for row in rows]


def list_explanations(session: Session, uuid: str) -> Sequence[HeadcountExplanation]:
    """What supervisors said of this event, the last first."""
    said = select(HeadcountExplanation).where(HeadcountExplanation.event_uuid == uuid)
    return session.scalars(said.order_by(HeadcountExplanation.id.desc())).all()


def explain_gap(
    session: Session, count: Headcount, shown: str, reason: str, actor_id: int | None, now: datetime
) -> None:
    """Note why these numbers do not close; raise HeadcountRefused where nothing, or something else, is to be explained.

    `shown` are the numbers that the person saw.
    """
    reason = reason.strip()
    if count.gap == 0:
        raise HeadcountRefused("headcount_closes")
    if count.numbers != shown:
        raise HeadcountRefused("headcount_moved")
    if not _SHORTEST_REASON <= len(reason) <= _LONGEST_REASON:
        raise HeadcountRefused("headcount_reason", least=_SHORTEST_REASON, most=_LONGEST_REASON)
    session.add(
        HeadcountExplanation(event_uuid=count.uuid, numbers=shown, reason=reason, actor_id=actor_id, explained_at=now)
    )
    session.flush()
    add_audit_event(session, actor_id, "headcount.explained", f"event:{count.uuid}", now)


@dataclass(frozen=True, slots=True)
class ExplanationFact:
    """What somebody said of the numbers of an event on another server, by whose word here."""

    numbers: str
    reason: str
    actor_id: int | None
    explained_at: datetime
    withdrawn_by_id: int | None
    withdrawn_at: datetime | None


def receive_explanation(session: Session, event_uuid: str, fact: ExplanationFact) -> None:
    """Keep what was said of an event on another server, and that it was taken back there; twice is once."""
    if len(fact.reason) > _LONGEST_REASON or len(fact.numbers) > _LONGEST_NUMBERS:
        raise HeadcountRefused("headcount_reason", least=_SHORTEST_REASON, most=_LONGEST_REASON)
    named = {"event_uuid": event_uuid, "numbers": fact.numbers, "explained_at": fact.explained_at}
    known = session.scalar(select(HeadcountExplanation).filter_by(**named))
    if known is None:
        known = HeadcountExplanation(**named, reason=fact.reason, actor_id=fact.actor_id)
        session.add(known)
        add_audit_event(session, fact.actor_id, "headcount.explained", f"event:{event_uuid}", fact.explained_at)
    if known.withdrawn_at is None and fact.withdrawn_at is not None:
        known.withdrawn_at, known.withdrawn_by_id = fact.withdrawn_at, fact.withdrawn_by_id
        add_audit_event(session, fact.withdrawn_by_id, "headcount.reopened", f"event:{event_uuid}", fact.withdrawn_at)
    session.flush()


def withdraw_explanations(session: Session, count: Headcount, actor_id: int | None, now: datetime) -> None:
    """Take back what was said of the numbers as they stand, so that the question is open again."""
    for one in list_explanations(session, count.uuid):
        if one.withdrawn_at is None and one.numbers == count.numbers:
            one.withdrawn_at, one.withdrawn_by_id = now, actor_id
    session.flush()
    add_audit_event(session, actor_id, "headcount.reopened", f"event:{count.uuid}", now)


def _scoped(viewer: Viewer | None) -> Select[*tuple[Any, ...]]:
    events = _EVENTS.where(Entity.list_name == EVENTS, Entity.exists)
    return events if viewer is None else scope_entities(events, viewer, EVENTS)


def _read(row: Any) -> Headcount:
    return read_headcount(row.uuid, row.site_code, row.properties, row.arrivals, disputed=row.open_conflicts > 0)


def _read_explained(session: Session, uuids: Sequence[str]) -> dict[str, set[str]]:
    said = select(HeadcountExplanation).where(HeadcountExplanation.withdrawn_at.is_(None))
    found: dict[str, set[str]] = {}
    for one in session.scalars(said if len(uuids) > 1 else said.where(HeadcountExplanation.event_uuid.in_(uuids))):
        found.setdefault(one.event_uuid, set()).add(one.numbers)
    return found
