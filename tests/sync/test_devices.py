"""Tablets: contacts in batches, alerts, states, clocks."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.devices import (
    Contact,
    Fetch,
    add_device,
    change_device_state,
    find_device,
    list_devices,
    raise_alert,
    record_clock,
    record_contacts,
)
from sync.models import Alert, Device, DeviceFetch
from tests.sync.factory import NOW, add_site

pytestmark = pytest.mark.both_databases

AGENT = "org.odk.collect.android/v2026.3.0 Dalvik/2.1.0 (Linux; U; Android 13; SM-T220)"


@pytest.fixture
def device(session: Session) -> Device:
    return add_device(session, add_site(session), "ROS-1", "fr", NOW)


def contact(
    device: Device, seconds: int = 0, collect_id: str | None = "collect:one", kind: str = "form_list"
) -> Contact:
    return Contact(device.id, NOW + timedelta(seconds=seconds), kind, collect_id, AGENT)


def record(session: Session, *contacts: Contact) -> None:
    record_contacts(session, contacts, NOW)
    session.expire_all()


def test_contact_tells_when_what_and_with_which_collect(session: Session, device: Device) -> None:
    record(session, contact(device))
    assert (device.last_contact_at, device.last_contact_kind, device.collect_id) == (NOW, "form_list", "collect:one")
    assert (device.collect_version, device.android_version) == ("2026.3.0", "13")


def test_tablet_is_written_of_once_in_a_while(session: Session, device: Device) -> None:
    other = add_device(session, device.site, "ROS-2", "fr", NOW)
    record(session, contact(device))
    sent = [contact(device, 1, kind="manifest"), contact(other, 1)]
    early = record_contacts(session, sent, NOW + timedelta(seconds=1), timedelta(seconds=2))
    session.expire_all()
    assert (early, device.last_contact_kind, other.last_contact_kind) == ([sent[0]], "form_list", "form_list")
    assert record_contacts(session, early, NOW + timedelta(seconds=2), timedelta(seconds=2)) == []
    session.expire_all()
    assert device.last_contact_kind == "manifest"


def test_clock_that_was_put_back_silences_nobody(session: Session, device: Device) -> None:
    record(session, contact(device, 3600))
    assert record_contacts(session, [contact(device)], NOW, timedelta(seconds=2)) == []


def test_contact_of_another_program_keeps_what_collect_told(session: Session, device: Device) -> None:
    record(session, contact(device))
    record(session, Contact(device.id, NOW + timedelta(seconds=9), "manifest", None, "curl/8"))
    assert (device.last_contact_kind, device.collect_version) == ("manifest", "2026.3.0")


def test_last_submission_is_kept_by_later_contacts(session: Session, device: Device) -> None:
    sent = contact(device)
    sent.submitted_at = NOW
    record(session, sent)
    record(session, contact(device, 60))
    assert device.last_submission_at == NOW


def test_second_device_id_raises_one_alert(session: Session, device: Device) -> None:
    for collect_id in ("collect:one", "collect:two", "collect:one", "collect:two"):
        record(session, contact(device, collect_id=collect_id))
    assert [alert.kind for alert in session.scalars(select(Alert))] == ["second_device_id"]


def test_settled_alert_may_be_raised_again(session: Session, device: Device) -> None:
    raise_alert(session, "second_device_id", NOW, device.id, device.site_id)
    session.scalars(select(Alert)).one().settled_at = NOW
    raise_alert(session, "second_device_id", NOW, device.id, device.site_id)
    assert len(session.scalars(select(Alert)).all()) == 2


@pytest.mark.both_databases
def test_each_file_that_an_alert_tells_of_has_its_own(session: Session, device: Device) -> None:
    for told in ({"sha256": "a"}, {"sha256": "b"}, {}, {"sha256": "b"}, {}, {"size": 1}):
        raise_alert(session, "unreadable_record", NOW, device.id, device.site_id, **told)
    assert [one.params for one in session.scalars(select(Alert))] == [{"sha256": "a"}, {"sha256": "b"}, {}]


def test_fetched_files_are_noted_with_first_and_last_time(session: Session, device: Device) -> None:
    fetch = Fetch("form", "passage", "1", "", "abc")
    for seconds in (0, 60):
        one = contact(device, seconds)
        one.fetches[fetch] = one.at
        record(session, one)
    (row,) = session.scalars(select(DeviceFetch))
    assert (row.form_id, row.hash, row.last_at - row.first_at) == ("passage", "abc", timedelta(seconds=60))


def test_nothing_heard_writes_nothing(session: Session) -> None:
    record(session)
    assert session.scalars(select(Alert)).all() == []


def test_devices_are_found_by_name(session: Session, device: Device) -> None:
    assert find_device(session, "ROS-1") is device
    assert find_device(session, "ROS-2") is None
    assert list_devices(session) == [device]


def test_state_changes_are_dated(session: Session, device: Device) -> None:
    later = NOW + timedelta(days=1)
    change_device_state(session, device, "lost", later)
    change_device_state(session, device, "lost", later + timedelta(days=1))
    assert (device.state, device.state_changed_at) == ("lost", later)


def test_unknown_state_is_refused(session: Session, device: Device) -> None:
    with pytest.raises(ValueError, match="no state"):
        change_device_state(session, device, "stolen?", NOW)


def test_clock_that_is_ahead_is_noted(session: Session, device: Device) -> None:
    record_clock(session, device.id, 7200)
    session.expire_all()
    assert device.clock_ahead_s == 7200
