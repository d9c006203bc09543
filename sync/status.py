"""How far everything got: the read side of the supervisor's first page and of `teral status`.

Lists are browsing.py's work. Counts come from indexes alone, since many readers ask every few seconds.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, joinedload

from sync.models import SUBMISSION_STATES, Alert, Device, Site, Submission
from sync.policy import Viewer, access, may
from sync.scopes import scope_alerts, scope_devices, scope_sites, scope_submissions, site_of

# What is not at its end: it waits for the machine, for another record, for files, or for a human.
WAITING = ("received", "held", "incomplete", "quarantined", "locked")
_LAG_DAYS = 7
_LAG_RECORDS = 2000


@dataclass(frozen=True, slots=True)
class Waiting:
    """Records that wait for one reason, and since when the oldest does."""

    state: str
    reason: str | None
    count: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class SiteStatus:
    """One site: its tablets, what came from them, and how long records took (median of a week, in seconds)."""

    site: Site
    devices: int
    counts: Counter[str]
    last_submission_at: datetime | None
    lag_s: float | None


@dataclass(frozen=True, slots=True)
class Status:
    """Everything at one moment, as far as its reader may know."""

    at: datetime
    counts: Counter[str]
    waiting: list[Waiting]
    sites: list[SiteStatus]
    devices: Sequence[Device]
    device_counts: dict[int | None, Counter[str]]
    alerts: Sequence[Alert]
    last_submission_at: datetime | None
    lag_s: float | None = field(default=None)

    @property
    def pending(self) -> int:
        return self.counts["received"]

    @property
    def oldest_pending_s(self) -> float | None:
        oldest = [one.oldest_at for one in self.waiting if one.state == "received"]
        return (self.at - min(oldest)).total_seconds() if oldest else None


def read_status(session: Session, viewer: Viewer | None, now: datetime) -> Status:
    """Read how far everything got that this viewer may know of; without a viewer (the command line) all of it."""
    devices = _list_devices(session, viewer)
    by_device = _count_by_device(session, viewer)
    lags = _read_lags(session, viewer, now)
    last = _last_by_site(session, viewer)
    return Status(
        at=now,
        counts=sum(by_device.values(), Counter(dict.fromkeys(SUBMISSION_STATES, 0))),
        waiting=_list_waiting(session, viewer),
        sites=[_describe(site, by_device, lags, last, session) for site in _list_sites(session, viewer)],
        devices=devices if viewer is None or access(viewer, "D7").reads else [],
        device_counts=by_device,
        alerts=_list_alerts(session, viewer),
        last_submission_at=max(last.values(), default=None),
        lag_s=median(all_lags) if (all_lags := [one for some in lags.values() for one in some]) else None,
    )


def _scoped(found: Select[*tuple[Any, ...]], viewer: Viewer | None) -> Select[*tuple[Any, ...]]:
    """Real records only. Who may not list records (an administrator) still sees how many there are."""
    found = found.where(Submission.is_draft.is_(False))
    if viewer is None:
        return found
    if may(viewer, "submissions.read"):
        return scope_submissions(found, viewer)
    bound = site_of(viewer)
    return found if bound is None else found.where(Submission.site_id == bound)


def _list_devices(session: Session, viewer: Viewer | None) -> Sequence[Device]:
    found = select(Device).options(joinedload(Device.site)).order_by(Device.name)
    return session.scalars(scope_devices(found, viewer) if viewer else found).all()


def _list_sites(session: Session, viewer: Viewer | None) -> Sequence[Site]:
    found = select(Site).where(Site.closed_at.is_(None)).order_by(Site.name)
    return session.scalars(scope_sites(found, viewer) if viewer else found).all()


def _list_alerts(session: Session, viewer: Viewer | None) -> Sequence[Alert]:
    found = select(Alert).where(Alert.settled_at.is_(None)).order_by(Alert.id.desc())
    return session.scalars(scope_alerts(found, viewer) if viewer else found).all()


def _count_by_device(session: Session, viewer: Viewer | None) -> dict[int | None, Counter[str]]:
    found = select(Submission.device_id, Submission.state, func.count())
    counts: dict[int | None, Counter[str]] = defaultdict(Counter)
    for device_id, state, count in session.execute(
        _scoped(found, viewer).group_by(Submission.device_id, Submission.state)
    ):
        counts[device_id][state] = count
    return counts


def _list_waiting(session: Session, viewer: Viewer | None) -> list[Waiting]:
    found = select(Submission.state, Submission.reason, func.count(), func.min(Submission.received_at))
    rows = session.execute(
        _scoped(found.where(Submission.state.in_(WAITING)), viewer).group_by(Submission.state, Submission.reason)
    )
    return sorted((Waiting(*row) for row in rows), key=lambda one: (WAITING.index(one.state), one.oldest_at))


def _read_lags(session: Session, viewer: Viewer | None, now: datetime) -> dict[int | None, list[float]]:
    """Seconds from the end of filling to receipt, by site, of the latest records. A clock that is ahead tells none."""
    found = select(Submission.site_id, Submission.received_at, Submission.ended_at).where(
        Submission.received_at > now - timedelta(days=_LAG_DAYS), Submission.ended_at < Submission.received_at
    )
    lags: dict[int | None, list[float]] = defaultdict(list)
    newest = _scoped(found, viewer).order_by(Submission.received_at.desc()).limit(_LAG_RECORDS)
    for site_id, received_at, ended_at in session.execute(newest):
        lags[site_id].append((received_at - ended_at).total_seconds())
    return lags


def _last_by_site(session: Session, viewer: Viewer | None) -> dict[int | None, datetime]:
    found = select(Submission.site_id, func.max(Submission.received_at))
    rows = session.execute(_scoped(found, viewer).group_by(Submission.site_id))
    return {row[0]: row[1] for row in rows}


def _describe(
    site: Site,
    by_device: dict[int | None, Counter[str]],
    lags: dict[int | None, list[float]],
    last: dict[int | None, datetime],
    session: Session,
) -> SiteStatus:
    tablets = session.scalars(select(Device.id).where(Device.site_id == site.id, Device.state != "revoked")).all()
    counts = sum((by_device[one] for one in tablets if one in by_device), Counter[str]())
    site_lags = lags.get(site.id)
    return SiteStatus(site, len(tablets), counts, last.get(site.id), median(site_lags) if site_lags else None)
