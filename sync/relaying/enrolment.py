"""Relays as the centre enrols them: a number of their own, and the sites whose tablets talk to them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from sync.audit import add_audit_event
from sync.models import Relay, RelayedSite, Site
from sync.numbering import SLOTS
from sync.relaying.lines import RelayRefused


def enrol_relay(session: Session, site: Site, actor_id: int, now: datetime, by: int | None = None) -> Relay:
    """Make the server at this site a relay under the account of this actor, with a number that no other has.

    Raises RelayRefused for a site that has one already: another server under its number would mix up versions.
    """
    if session.get(Relay, site.id) is not None:
        raise RelayRefused("relay_exists", site=site.code)
    taken = set(session.scalars(select(Relay.number)))
    number = next((one for one in range(1, SLOTS) if one not in taken), None)
    if number is None:
        raise RelayRefused("relay_numbers")
    relay = Relay(site=site, number=number, actor_id=actor_id, enrolled_at=now, told={})
    session.add(relay)
    session.flush()
    add_audit_event(session, by, "relay.enrolled", f"site:{site.code}", now, number=number)
    return relay


def place_sites(session: Session, relay: Relay, sites: Sequence[Site], now: datetime, by: int | None = None) -> None:
    """Let the tablets of exactly these sites talk to the relay; a site is behind one relay at most."""
    ids = [one.id for one in sites]
    session.execute(delete(RelayedSite).where((RelayedSite.relay_id == relay.site_id) | RelayedSite.site_id.in_(ids)))
    session.add_all(RelayedSite(site_id=one, relay_id=relay.site_id) for one in sorted(set(ids)))
    session.flush()
    codes = sorted(one.code for one in sites)
    add_audit_event(session, by, "relay.placed", f"site:{relay.site.code}", now, sites=codes)
