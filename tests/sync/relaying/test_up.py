"""What a relay tells first and what no more, and what the centre believes."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.devices import change_device_state
from sync.journal import IssuedFact
from sync.journal import write_line as write_fact
from sync.models import Device, Relay, RelayedRecord
from sync.numbering import FIRST_SHARED, next_number
from sync.policy import programme
from sync.relaying.lines import DeviceLine, FactLine, RecordLine, RelayLine, RelayRefused, of_kind, receipt_for
from sync.relaying.receipts import CENTRE, note_receipts
from sync.relaying.up import describe_relay, list_up, list_waiting, take_up
from tests.sync.factory import NOW, add_device, add_site, add_submission


def test_urgent_forms_come_first_and_of_each_the_oldest(session: Session) -> None:
    urgent = next(one.form_id for one in programme().forms.values() if one.urgent)
    for number, form_id in enumerate(["passage", urgent, "passage", urgent]):
        received_at = NOW - timedelta(hours=number)
        add_submission(session, f"uuid:{number}", form_id=form_id, received_at=received_at)
    add_submission(session, "uuid:test", is_draft=True)
    assert [one.instance_id for one in list_waiting(session)] == ["uuid:3", "uuid:1", "uuid:2", "uuid:0"]


def test_what_the_centre_took_is_told_again_only_when_it_says_something_else(session: Session) -> None:
    device = add_device(session, add_site(session))
    add_submission(session, "uuid:1", device=device)
    told = list(list_up(session))
    assert [type(one) for one in told] == [DeviceLine, RecordLine]
    note_receipts(session, CENTRE, [receipt_for(one) for one in told])
    note_receipts(session, CENTRE, [receipt_for(one) for one in told])
    assert list(list_up(session)) == []
    device.last_contact_at = NOW
    session.flush()
    assert [type(one) for one in list_up(session)] == [DeviceLine]


def test_a_relay_says_how_much_waits_and_since_when(session: Session) -> None:
    add_submission(session, "uuid:1")
    add_submission(session, "uuid:2", received_at=NOW - timedelta(days=9))
    told = describe_relay(session, of_kind(list_up(session), RecordLine), NOW)
    assert (told.waiting, told.oldest_at) == (2, NOW - timedelta(days=9))


@pytest.mark.parametrize("clock", [-900, 900], ids=["post's clock slow", "post's clock fast"])
@pytest.mark.parametrize(("here", "told", "then"), [
    ("active", "lost", "lost"), ("active", "revoked", "revoked"), ("lost", "active", "active"),
    ("revoked", "active", "revoked"), ("revoked", "drained", "revoked"),
])  # fmt: skip
def test_a_tablets_state_is_what_the_post_gave_it_but_revoked_it_stays(
    session: Session, relay: Relay, clock: int, here: str, told: str, then: str
) -> None:
    then_there = NOW + timedelta(days=clock)
    tell_state(session, relay, "active", then_there)
    device = session.scalars(select(Device)).one()
    change_device_state(session, device, here, NOW - timedelta(minutes=1))
    tell_state(session, relay, "active", then_there)
    assert device.state == here
    tell_state(session, relay, told, then_there + timedelta(minutes=1))
    assert device.state == then
    assert device.state_changed_at <= NOW


def tell_state(session: Session, relay: Relay, state: str, since: datetime) -> None:
    line = DeviceLine("ROS-1", relay.site.code, state, "fr", since, since, "submission", since, None)
    assert take_up(session, relay, [line], NOW).receipts == [receipt_for(line)]
    device = session.scalars(select(Device)).one()
    assert max(device.last_contact_at or NOW, device.last_submission_at or NOW) <= NOW


def test_a_state_that_there_is_none_of_is_refused(session: Session, relay: Relay) -> None:
    with pytest.raises(RelayRefused, match="no such state"):
        tell_state(session, relay, "stolen", NOW)


def test_a_post_whose_clock_went_fast_is_heard_again_when_it_is_right(session: Session, relay: Relay) -> None:
    fast = NOW + timedelta(days=900)
    take_up(session, relay, [RelayLine(fast, relay.number, 5, fast)], NOW)
    assert (relay.told_at, relay.told["waiting"], relay.told["oldest_at"]) == (NOW, 5, NOW.isoformat())
    soon = NOW + timedelta(minutes=5)
    take_up(session, relay, [RelayLine(soon, relay.number, 0, None)], soon)
    assert (relay.told_at, relay.told["waiting"]) == (soon, 0)
    take_up(session, relay, [RelayLine(NOW, relay.number, 3, NOW)], soon)
    assert (relay.told_at, relay.told["waiting"]) == (soon, 0)


def test_a_post_numbers_for_nobody_else(session: Session, relay: Relay) -> None:
    facts = [IssuedFact("dossiers", "x", next_number(FIRST_SHARED, slot), [], [], "", {}, NOW) for slot in (1, 2)]
    own, foreign = [FactLine(write_fact(one)) for one in facts]
    with pytest.raises(RelayRefused, match="number is 1"):
        take_up(session, relay, [own, foreign], NOW)
    assert take_up(session, relay, [own], NOW).receipts == [receipt_for(own)]


def test_a_post_speaks_of_no_site_but_those_behind_it(session: Session, relay: Relay) -> None:
    add_site(session, "DKR")
    device = DeviceLine("ROS-1", "DKR", "active", "fr", NOW, NOW, "submission", NOW, None)
    record = RecordLine("passage", "1", "uuid:1", "0" * 64, NOW, "ROS-1", "DKR", None, None, [])
    take_up(session, relay, [device, record], NOW)
    assert session.scalars(select(Device)).one().site == relay.site
    assert session.scalars(select(RelayedRecord)).one().site_id == relay.site_id
    take_up(session, relay, [RelayLine(NOW, relay.number, 5, NOW)], NOW)
    assert (relay.told["unplaced"], relay.told["waiting"]) == (["DKR"], 5)


def test_each_tablet_gets_a_name_of_its_own(session: Session, relay: Relay) -> None:
    """Whatever names it tells of: what is added to one may be the whole of another."""
    add_device(session, add_site(session, "DKR"), "ROS-1")
    for name in ("ROS-1 (ROS)", "ROS-1", "x" * 255):
        line = DeviceLine(name, "ROS", "active", "fr", NOW, NOW, "submission", NOW, None)
        assert take_up(session, relay, [line], NOW).receipts == [receipt_for(line)]
    assert len(session.scalars(select(Device)).all()) == 4
