"""What a post does that its centre told. What it is told is in tests/journeys/test_relay.py and test_relay_forms.py."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from sync.models import Device
from sync.relaying.down import take_down
from sync.relaying.lines import StateLine, receipt_for
from tests.sync.factory import NOW, add_device, add_site

LATER = NOW + timedelta(hours=1)


@pytest.mark.parametrize("clock", [-900, 900], ids=["post's clock slow", "post's clock fast"])
@pytest.mark.parametrize("state", ["drained", "active", "revoked"])
def test_the_centres_word_counts_whatever_the_clocks_say(session: Session, clock: int, state: str) -> None:
    device = add_at_post(session, "lost", clock)
    line = StateLine(device.name, state, LATER, device.state_changed_at)
    assert take_down(session, [line], {}, LATER) == ([receipt_for(line)], [])
    assert device.state == state
    assert device.state_changed_at <= LATER


@pytest.mark.parametrize(("here", "told", "then"), [
    ("revoked", "active", "revoked"), ("drained", "lost", "drained"), ("lost", "revoked", "revoked"),
])  # fmt: skip
def test_what_the_post_did_since_it_told_stands_but_for_a_revocation(
    session: Session, here: str, told: str, then: str
) -> None:
    device = add_at_post(session, here, 0)
    take_down(session, [StateLine(device.name, told, LATER, NOW - timedelta(days=9))], {}, LATER)
    assert device.state == then


def test_a_tablet_that_is_not_here_is_of_no_matter(session: Session) -> None:
    line = StateLine("elsewhere", "lost", NOW, NOW)
    assert take_down(session, [line], {}, NOW) == ([receipt_for(line)], [])


def add_at_post(session: Session, state: str, clock: int) -> Device:
    """A tablet that was given its state at the post, whose clock is so many days off."""
    device = add_device(session, add_site(session))
    device.state, device.state_changed_at = state, NOW + timedelta(days=clock)
    session.flush()
    return device
