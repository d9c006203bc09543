"""What a post does that its centre told. What it is told is in tests/journeys/test_relay.py and test_relay_forms.py."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

import pytest
from sqlalchemy.orm import Session

from sync.devices import change_device_state
from sync.models import DEVICE_STATES, Device, Relay, RelayedDevice
from sync.relaying.down import list_down, take_down
from sync.relaying.lines import DeviceLine, ReceiptLine, StateLine, of_kind, receipt_for
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


def test_of_a_centre_of_an_older_version_a_revocation_alone_is_obeyed(session: Session) -> None:
    device = add_at_post(session, "active", 0)
    for state, then in [("lost", "active"), ("revoked", "revoked")]:
        take_down(session, [StateLine(device.name, state, LATER)], {}, LATER)
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

    def ring(self, *, loses: bool) -> None:
        """What the post tells, the answer, and its receipt; each may be the last thing that arrives."""
        self.now += timedelta(minutes=1)
        arrive = self.rng.randint(0, 3) if loses else 3
        if arrive > 0:
            self.tell()
        if arrive > 1:
            receipts = self.answer()
            note_receipts(self.session, self.relay.site_id, receipts if arrive > 2 else [])

    def tell(self) -> None:
        one = self.at_post
        since, obeys = one.state_changed_at, one.obeyed_at
        line = DeviceLine("ROS-1", "ROS", one.state, "fr", since, None, None, None, None, obeys)
        take_up(self.session, self.relay, [line], self.now)

    def answer(self) -> list[ReceiptLine]:
        news = of_kind(list_down(self.session, self.relay, self.now), StateLine)
        return take_down(self.session, news, {}, self.now)[0]


@pytest.mark.parametrize("seed", range(4))
def test_both_sides_agree_in_the_end_and_no_revocation_is_lost(session: Session, relay: Relay, seed: int) -> None:
    rng = Random(seed)
    pair = Pair(session, relay, rng)
    revoked_by = set[Device]()
    for _ in range(25):
        device, state = rng.choice([pair.at_post, pair.at_centre]), rng.choice(DEVICE_STATES)
        if rng.random() < 0.5:
            pair.ring(loses=True)
        elif device.state != state and (device is pair.at_post or device.state != "revoked"):
            # The post takes back revocations, even those of the centre, which itself takes none back.
            (revoked_by.add if state == "revoked" else revoked_by.discard)(device)
            pair.change(device, state)
    for _ in range(3):
        pair.ring(loses=False)
    assert pair.at_post.state == pair.at_centre.state
    assert pair.at_post.state == "revoked" or not revoked_by


@pytest.mark.parametrize("states", [("lost", "active"), ("lost", "active", "drained"), ("drained", "lost")])
def test_of_two_states_that_the_centre_gave_the_later_one_stands(
    session: Session, relay: Relay, states: tuple[str, ...]
) -> None:
    """The post obeys the first, and the link breaks before it can say so."""
    pair = Pair(session, relay, Random(0))
    for state in states:
        pair.change(pair.at_centre, state)
        pair.answer()
    for _ in range(2):
        pair.ring(loses=False)
    assert pair.at_centre.state == pair.at_post.state == states[-1]


def test_what_the_post_revoked_the_post_takes_back(session: Session, relay: Relay) -> None:
    pair = Pair(session, relay, Random(0))
    for state in ("revoked", "active"):
        pair.change(pair.at_post, state)
        pair.ring(loses=False)
        assert (pair.at_post.state, pair.at_centre.state) == (state, state)
    # Renewed before the centre's answer came.
    pair.change(pair.at_post, "revoked")
    pair.tell()
    pair.change(pair.at_post, "active")
    pair.answer()
    assert pair.at_post.state == "active"
    pair.ring(loses=False)
    pair.change(pair.at_centre, "revoked")
    pair.ring(loses=False)
    pair.change(pair.at_post, "active")
    pair.ring(loses=False)
    assert (pair.at_post.state, pair.at_centre.state) == ("revoked", "revoked")


def test_what_the_post_obeyed_undoes_no_later_word_of_the_centre(session: Session, relay: Relay) -> None:
    pair = Pair(session, relay, Random(0))
    for state in ("lost", "revoked"):
        pair.change(pair.at_centre, state)
        pair.answer()
        assert pair.at_post.state == state
        pair.change(pair.at_centre, "active")
        pair.tell()
        assert pair.at_centre.state == "active"
        pair.answer()
        assert pair.at_post.state == "active"


def test_a_centre_that_was_restored_hears_of_what_it_had_said(session: Session, relay: Relay) -> None:
    pair = Pair(session, relay, Random(0))
    before = pair.at_centre.state_changed_at
    pair.change(pair.at_centre, "revoked")
    pair.answer()
    pair.at_centre.state, pair.at_centre.state_changed_at = "active", before
    pair.ring(loses=False)
    assert (pair.at_centre.state, pair.at_post.state) == ("revoked", "revoked")
