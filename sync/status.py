"""How far everything got: the read side of the supervisor's first page and of `teral status`.

Lists are browsing.py's work. Counts come from indexes alone, since many readers ask every few seconds.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import Session, joinedload

from sync.entity_browsing import ListTrouble, list_troubles
from sync.models import SUBMISSION_STATES, Alert, Device, Site, Submission, SubmissionFinding
from sync.models.submissions import NOT_AT_ITS_END
from sync.policy import Viewer, access, may
from sync.programme.headcount import Headcount
from sync.programme.headcount_rows import list_open_gaps
from sync.punctuality import Drift, Lag, Sample, select_sample
from sync.relaying.overview import RelayStatus, list_relays
from sync.scopes import scope_alerts, scope_devices, scope_sites, scope_submissions, site_of
from sync.suppression import suppress

# What is not at its end: it waits for the machine, for another record, for files, or for a human.
WAITING = ("received", "held", "incomplete", "quarantined", "locked")
_ON_THEIR_WAY = ("received", "held", "incomplete")
_HELD = 50
# How many by site, tablet and state.
_Counts = dict[tuple[int | None, int | None, str], int]
_IS_WAITING = text(f"submissions.{NOT_AT_ITS_END}")


@dataclass(frozen=True, slots=True)
class Waiting:
    """Records that wait for one reason, and since when the oldest does."""

    state: str
    reason: str | None
    count: int | None
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """Records that wait for one record which has not come: an edit before its original."""

    form_id: str
    waits_for: str
    count: int
    since: datetime


@dataclass(frozen=True, slots=True)
class SiteStatus:
    """One site: its tablets, what came from there, and how long records were on their way."""

    site: Site
    devices: int
    counts: Mapping[str, int | None]
    last_submission_at: datetime | None
    lag: Lag | None

    @property
    def waiting(self) -> int | None:
        """How many wait for the machine, for another record or for files; None when a part of it is hidden."""
        parts = [self.counts[state] for state in _ON_THEIR_WAY]
        return None if None in parts else sum(one or 0 for one in parts)

    @property
    def lag_s(self) -> float | None:
        return self.lag.median_s if self.lag else None


@dataclass(frozen=True, slots=True)
class Status:
    """Everything at one moment, as far as its reader may know. A count of None is hidden (suppression.py)."""

    at: datetime
    counts: Mapping[str, int | None]
    waiting: list[Waiting]
    sites: list[SiteStatus]
    devices: Sequence[Device]
    device_counts: dict[int | None, Counter[str]]
    alerts: Sequence[Alert]
    last_submission_at: datetime | None
    lag: Lag | None
    device_lags: dict[int | None, Lag]
    # What the validator objects to, by the kind of a quarantined record's first finding.
    finding_kinds: Mapping[str, int | None]
    held: list[Held]
    list_troubles: list[ListTrouble]
    drift: list[Drift]
    # Events whose living people are not all accounted for, the oldest first.
    gaps: list[Headcount]
    # Servers at posts, and what they were last heard to hold.
    relays: list[RelayStatus]

    @property
    def lag_s(self) -> float | None:
        return self.lag.median_s if self.lag else None

    @property
    def pending(self) -> int | None:
        return self.counts["received"]

    @property
    def oldest_pending_s(self) -> float | None:
        oldest = [one.oldest_at for one in self.waiting if one.state == "received"]
        return (self.at - min(oldest)).total_seconds() if oldest else None


def read_status(session: Session, viewer: Viewer | None, now: datetime) -> Status:
    """Read how far everything got that this viewer may know of; without a viewer (the command line) all of it."""
    devices = _list_devices(session, viewer)
    counts = _count(session, viewer)
    sample = Sample(session.execute(_scoped(select_sample(now), viewer)).all())
    sites = _list_site_status(session, viewer, devices, counts, sample)
    sees_devices = viewer is None or access(viewer, "D7").reads
    status = Status(
        at=now,
        counts=_sum(counts, lambda site_id, device_id: True),
        waiting=_list_waiting(session, viewer),
        sites=sites,
        devices=devices if sees_devices else [],
        device_counts=_by_device(counts),
        alerts=_list_alerts(session, viewer),
        last_submission_at=max((one.last_submission_at for one in sites if one.last_submission_at), default=None),
        lag=sample.lag(),
        device_lags=sample.lags_by("device_id"),
        finding_kinds=_count_finding_kinds(session, viewer),
        held=_list_held(session, viewer),
        list_troubles=list_troubles(session, viewer) if viewer is None or may(viewer, "entities.read") else [],
        drift=sample.list_drift(session) if sees_devices else [],
        gaps=list_open_gaps(session, viewer, now),
        relays=list_relays(session, viewer) if sees_devices else [],
    )
    return status if viewer is None or may(viewer, "submissions.read") else _veil(status, counts)


def _veil(status: Status, counts: _Counts) -> Status:
    """The status for who may count records without knowing of any: small counts are hidden, and no record is named."""
    columns = {state: suppress(_by_site(counts, state)) for state in SUBMISSION_STATES}
    sites = [
        replace(one, counts={state: column.get(one.site.id, 0) for state, column in columns.items()})
        for one in status.sites
    ]
    return replace(
        status,
        counts=suppress({state: sum(_by_site(counts, state).values()) for state in SUBMISSION_STATES}),
        waiting=_veil_waiting(status.waiting),
        sites=sites,
        device_counts={},
        finding_kinds=suppress({kind: count or 0 for kind, count in status.finding_kinds.items()}),
        held=[],
    )


def _by_site(counts: _Counts, wanted: str) -> Counter[int | None]:
    """Counts of one state, also where no site or a closed one is: what is left of the total would tell of those."""
    found: Counter[int | None] = Counter()
    for (site_id, _, state), count in counts.items():
        if state == wanted:
            found[site_id] += count
    return found


def _veil_waiting(waiting: list[Waiting]) -> list[Waiting]:
    shown: dict[tuple[str, str | None], int | None] = {}
    for state in WAITING:
        shown |= suppress({(one.state, one.reason): one.count or 0 for one in waiting if one.state == state})
    return [replace(one, count=shown[one.state, one.reason]) for one in waiting]


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


def _count(session: Session, viewer: Viewer | None) -> _Counts:
    """Count by site, tablet and state, in the order of the one index that holds all of it."""
    key = (Submission.site_id, Submission.device_id, Submission.state)
    rows = session.execute(_scoped(select(*key, func.count()), viewer).group_by(*key))
    return {(row[0], row[1], row[2]): row[3] for row in rows}


def _sum(counts: _Counts, wanted: Callable[[int | None, int | None], bool]) -> Counter[str]:
    total = Counter(dict.fromkeys(SUBMISSION_STATES, 0))
    for (site_id, device_id, state), count in counts.items():
        if wanted(site_id, device_id):
            total[state] += count
    return total


def _by_device(counts: _Counts) -> dict[int | None, Counter[str]]:
    found: dict[int | None, Counter[str]] = defaultdict(Counter)
    for (_, device_id, state), count in counts.items():
        found[device_id][state] += count
    return found


def _list_waiting(session: Session, viewer: Viewer | None) -> list[Waiting]:
    # By site first, as in the index, though nobody asks for it: so the index alone answers.
    key = (Submission.site_id, Submission.state, Submission.reason)
    found = select(*key, func.count(), func.min(Submission.received_at)).where(_IS_WAITING)
    waiting: dict[tuple[str, str | None], Waiting] = {}
    for _, state, reason, count, oldest_at in session.execute(_scoped(found, viewer).group_by(*key)):
        known = waiting.get((state, reason), Waiting(state, reason, 0, oldest_at))
        waiting[state, reason] = Waiting(state, reason, (known.count or 0) + count, min(known.oldest_at, oldest_at))
    return sorted(waiting.values(), key=lambda one: (WAITING.index(one.state), one.oldest_at))


def _count_finding_kinds(session: Session, viewer: Viewer | None) -> Counter[str]:
    """What is wrong with records that wait for their findings' sake, by the kind of the first error of each."""
    waiting = select(Submission.id).where(_IS_WAITING, Submission.state == "quarantined", Submission.reason.is_(None))
    first = (
        select(func.min(SubmissionFinding.id))
        .where(SubmissionFinding.grade == "error", SubmissionFinding.submission_id.in_(_scoped(waiting, viewer)))
        .group_by(SubmissionFinding.submission_id)
    )
    kinds = select(SubmissionFinding.kind, func.count()).where(SubmissionFinding.id.in_(first))
    counted = Counter({row[0]: row[1] for row in session.execute(kinds.group_by(SubmissionFinding.kind))})
    return Counter(dict(counted.most_common()))


def _list_held(session: Session, viewer: Viewer | None) -> list[Held]:
    key = (Submission.form_id, Submission.waits_for)
    found = select(*key, func.count(), func.min(Submission.received_at).label("since"))
    scoped = _scoped(found.where(_IS_WAITING, Submission.state == "held"), viewer).group_by(*key)
    return [
        Held(row[0], row[1] or "", row[2], row[3]) for row in session.execute(scoped.order_by("since").limit(_HELD))
    ]


def _list_site_status(
    session: Session, viewer: Viewer | None, devices: Sequence[Device], counts: _Counts, sample: Sample
) -> list[SiteStatus]:
    tablets = Counter(one.site_id for one in devices if one.state != "revoked")
    lags = sample.lags_by("site_id")
    return [
        SiteStatus(
            site=site,
            devices=tablets[site.id],
            counts=_sum(counts, lambda site_id, _device_id, wanted=site.id: site_id == wanted),  # type: ignore[misc]
            last_submission_at=_find_last(session, viewer, site),
            lag=lags.get(site.id),
        )
        for site in _list_sites(session, viewer)
    ]


def _find_last(session: Session, viewer: Viewer | None, site: Site) -> datetime | None:
    # One step at the end of an index for each site; a maximum by group would read all of it.
    found = select(Submission.received_at).where(Submission.site_id == site.id)
    last: datetime | None = session.scalar(_scoped(found, viewer).order_by(Submission.received_at.desc()).limit(1))
    return last
