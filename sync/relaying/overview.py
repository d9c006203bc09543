"""What the centre knows of its relays and of the tablets behind them, and how old that knowledge is."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload

from sync.models import Relay, RelayedDevice, RelayedRecord, RelayedSite, Site
from sync.policy import Viewer
from sync.relaying.erasures import Unerased, count_unerased
from sync.scopes import scope_sites, site_of


@dataclass(frozen=True, slots=True)
class RelayStatus:
    """One relay. `waiting` is what it said that we had not taken, `told_of` are records announced and still to come.

    All of it is as the relay said at `told_at`; `heard_at` is when that reached us. None: not for this viewer.
    `unplaced` are the codes of sites that it spoke of and that are not behind it: what came from them is its own
    site's. Who is bound to a site reads of no others. `unerased` is what was erased here and by the relay not yet.
    """

    site: Site
    number: int
    sites: Sequence[Site]
    device_ids: frozenset[int]
    waiting: int | None
    oldest_at: datetime | None
    told_of: int | None
    told_at: datetime | None
    heard_at: datetime | None
    unplaced: Sequence[str] = ()
    unerased: Unerased | None = None


def find_provenance(session: Session, submission_id: int) -> RelayedRecord | None:
    """What a relay told of this record: when it came there. None where it came to us directly."""
    told = select(RelayedRecord).where(RelayedRecord.submission_id == submission_id)
    return session.scalar(told.order_by(RelayedRecord.received_at).limit(1))


def list_relays(session: Session, viewer: Viewer | None) -> list[RelayStatus]:
    """Every relay that this viewer may know of: all, or the one that the viewer's own site is or is behind."""
    found = select(Relay).join(Relay.site).options(joinedload(Relay.site)).order_by(Site.name)
    if viewer is not None:
        mine = scope_sites(select(Site.id), viewer)
        behind = select(RelayedSite.relay_id).where(RelayedSite.site_id.in_(mine))
        found = found.where(or_(Relay.site_id.in_(mine), Relay.site_id.in_(behind)))
    relays = session.scalars(found).all()
    if not relays:
        return []
    sites: dict[int, list[Site]] = defaultdict(list)
    for one in session.scalars(select(RelayedSite).options(joinedload(RelayedSite.site))):
        sites[one.relay_id].append(one.site)
    devices: dict[int, set[int]] = defaultdict(set)
    for relay_id, device_id in session.execute(select(RelayedDevice.relay_id, RelayedDevice.device_id)):
        devices[relay_id].add(device_id)
    coming = select(RelayedRecord.relay_id, func.count()).where(RelayedRecord.submission_id.is_(None))
    awaited = {row[0]: row[1] for row in session.execute(coming.group_by(RelayedRecord.relay_id))}
    bound = site_of(viewer) if viewer is not None else None
    unerased = count_unerased(session)
    told = [
        _describe(one, sites[one.site_id], devices[one.site_id], awaited.get(one.site_id, 0), unerased.get(one.site_id))
        if bound in (None, *_only(sites[one.site_id]))
        else _describe_part(one, [site for site in sites[one.site_id] if site.id == bound])
        for one in relays
    ]
    return told if bound is None else [replace(one, unplaced=()) for one in told]


def _only(sites: Sequence[Site]) -> list[int]:
    return [one.id for one in sites] if len(sites) == 1 else []


def _describe_part(relay: Relay, sites: list[Site]) -> RelayStatus:
    """What is told to somebody who may know of one of its sites: when it was heard of, and no sums over the others."""
    return replace(_describe(relay, sites, set(), 0), waiting=None, oldest_at=None, told_of=None)


def _describe(
    relay: Relay, sites: list[Site], devices: set[int], awaited: int, unerased: Unerased | None = None
) -> RelayStatus:
    oldest = relay.told.get("oldest_at")
    return RelayStatus(
        site=relay.site,
        number=relay.number,
        sites=sorted(sites, key=lambda one: one.name),
        device_ids=frozenset(devices),
        waiting=relay.told.get("waiting"),
        oldest_at=datetime.fromisoformat(oldest) if oldest else None,
        told_of=awaited,
        told_at=relay.told_at,
        heard_at=relay.heard_at,
        unplaced=sorted(set(relay.told.get("unplaced", [])) - {one.code for one in sites}),
        unerased=unerased,
    )
