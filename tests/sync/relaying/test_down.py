"""What a post does that its centre told. What it is told is in tests/journeys/test_relay.py and test_relay_forms.py."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

import pytest
from sqlalchemy.orm import Session

from sync.devices import change_device_state
from sync.models import DEVICE_STATES, Device, Relay, RelayedDevice
from sync.relaying.down import list_down, take_down
from sync.relaying.lines import DeviceLine, StateLine, of_kind, receipt_for
from sync.relaying.receipts import note_receipts
from sync.relaying.up import take_up
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


@dataclass
class Pair:
    """A tablet as the post and as the centre know it, whose clocks are years apart, and a line that loses things."""

    session: Session
    relay: Relay
    rng: Random
    now: datetime = NOW

    def __post_init__(self) -> None:
        self.at_post = add_device(self.session, self.relay.site, "ROS-1")
        self.ring(loses=False)
        self.at_centre = self.session.get_one(RelayedDevice, (self.relay.site_id, "ROS-1")).device

    def change(self, device: Device, state: str) -> None:
        self.now += timedelta(minutes=1)
        clock = timedelta(days=-900) if device is self.at_post else timedelta()
        change_device_state(self.session, device, state, self.now + clock)

    def hear(self) -> None:
        """The post hears, and nobody hears that it did."""
        take_down(self.session, of_kind(list_down(self.session, self.relay, self.now), StateLine), {}, self.now)

    def ring(self, *, loses: bool) -> None:
        """What the post tells, the answer, and its receipt; each may be the last thing that arrives."""
        self.now += timedelta(minutes=1)
        arrive = self.rng.randint(0, 3) if loses else 3
        one = self.at_post
        line = DeviceLine("ROS-1", "ROS", one.state, "fr", one.state_changed_at, None, None, None, None)
        if arrive > 0:
            take_up(self.session, self.relay, [line], self.now)
        news = of_kind(list_down(self.session, self.relay, self.now), StateLine)
        if arrive > 1:
            receipts, _ = take_down(self.session, news, {}, self.now)
            note_receipts(self.session, self.relay.site_id, receipts if arrive > 2 else [])


@pytest.mark.parametrize("seed", range(4))
def test_both_sides_agree_in_the_end_and_no_revocation_is_lost(session: Session, relay: Relay, seed: int) -> None:
    rng = Random(seed)
    pair, is_revoked = Pair(session, relay, rng), False
    for _ in range(25):
        device, state = rng.choice([pair.at_post, pair.at_centre]), rng.choice(DEVICE_STATES)
        if rng.random() < 0.5:
            pair.ring(loses=True)
        elif state == "revoked" or device.state != "revoked":
            pair.change(device, state)
            is_revoked = is_revoked or state == "revoked"
    for _ in range(3):
        pair.ring(loses=False)
    assert pair.at_post.state == pair.at_centre.state
    assert pair.at_post.state == "revoked" or not is_revoked


@pytest.mark.parametrize("states", [("lost", "active"), ("lost", "active", "drained"), ("drained", "lost")])
def test_of_two_states_that_the_centre_gave_the_later_one_stands(
    session: Session, relay: Relay, states: tuple[str, ...]
) -> None:
    """The post obeys the first, and the link breaks before it can say so."""
    pair = Pair(session, relay, Random(0))
    for state in states:
        pair.change(pair.at_centre, state)
        pair.hear()
    for _ in range(2):
        pair.ring(loses=False)
    assert pair.at_centre.state == pair.at_post.state == states[-1]
