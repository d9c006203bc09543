"""A relay at the centre."""

import pytest
from sqlalchemy.orm import Session

from sync.models import Actor, Relay
from sync.relaying.enrolment import enrol_relay, place_sites
from tests.sync.factory import NOW, add_site


@pytest.fixture
def relay(session: Session) -> Relay:
    return add_relay(session)


def add_relay(session: Session) -> Relay:
    """The relay at a site of its own, whose number is 1."""
    site, actor = add_site(session), Actor(kind="user", display_name="Rosso", created_at=NOW)
    session.add(actor)
    session.flush()
    relay = enrol_relay(session, site, actor.id, NOW)
    place_sites(session, relay, [site], NOW)
    return relay
