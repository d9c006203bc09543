"""Every request is a sign of life, written in batches."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.openrosa import contacts
from server.openrosa.contacts import ContactBuffer
from server.openrosa.routes import get_room
from sync.devices import Contact
from sync.models import Alert, Device, DeviceFetch
from tests.server.openrosa.tablet import Tablet
from tests.sync.factory import xml


def the_device(session: Session) -> Device:
    session.rollback()
    session.expire_all()
    return session.scalars(select(Device)).one()


def test_contact_is_written_when_the_buffer_is_emptied(tablet: Tablet, app: Flask, session: Session) -> None:
    tablet.get("/formList")
    assert the_device(session).last_contact_at is None
    get_room(app).contacts.flush()
    device = the_device(session)
    assert (device.last_contact_kind, device.collect_version) == ("form_list", "2026.3.0")
    assert (device.android_version, device.collect_id) == ("13", "collect:abcdef0123456789")


def test_many_contacts_are_one_write_that_keeps_the_news_of_all(tablet: Tablet, app: Flask, session: Session) -> None:
    tablet.send(xml("uuid:1"))
    (form,) = tablet.list_forms()
    tablet.get(form["downloadUrl"])
    tablet.head()
    get_room(app).contacts.flush()
    device = the_device(session)
    assert device.last_submission_at is not None
    assert [(row.kind, row.form_id) for row in session.scalars(select(DeviceFetch))] == [("form", "passage")]


def test_second_device_id_is_served_and_told(tablet: Tablet, app: Flask, session: Session) -> None:
    for device in ("collect:one", "collect:two"):
        tablet.device = device
        assert tablet.get("/formList").status_code == 200
        get_room(app).contacts.flush()
    session.rollback()
    assert [alert.kind for alert in session.scalars(select(Alert))] == ["second_device_id"]


@pytest.mark.both_databases
@pytest.mark.parametrize("device", ["collect:\0" * 3, "x" * 5000, "✅"], ids=["NUL", "endless", "any sign"])
def test_a_hostile_device_id_silences_nobody(tablet: Tablet, app: Flask, session: Session, device: str) -> None:
    tablet.device = device
    assert tablet.get("/formList").status_code == 200
    get_room(app).contacts.flush()
    assert the_device(session).last_contact_kind == "form_list"


def test_lists_and_media_are_noted_by_their_hash(tablet: Tablet, app: Flask, session: Session) -> None:
    tablet.get("/forms/1/attachments/sites.csv")
    get_room(app).contacts.flush()
    session.rollback()
    (row,) = session.scalars(select(DeviceFetch))
    assert (row.kind, row.name, len(row.hash)) == ("list", "sites.csv", 32)


def test_two_processes_write_of_a_tablet_once(tablet: Tablet, app: Flask, session: Session) -> None:
    first, second = get_room(app).contacts, ContactBuffer(get_room(app).committer)
    now = datetime.now(UTC)
    first.add(Contact(1, now, "form_list"))
    second.add(Contact(1, now, "manifest", submitted_at=now))
    first.flush(timedelta(minutes=1))
    second.flush(timedelta(minutes=1))
    assert the_device(session).last_contact_kind == "form_list"
    second.add(Contact(1, now, "form"))
    second.flush()
    device = the_device(session)
    assert (device.last_contact_kind, device.last_submission_at) == ("form", now)


def test_writer_writes_by_itself(tablet: Tablet, app: Flask, session: Session, monkeypatch: object) -> None:
    contacts.INTERVAL_S, before = 0.02, contacts.INTERVAL_S
    stop = contacts.start_writer(get_room(app).contacts)
    try:
        tablet.get("/formList")
        deadline = time.monotonic() + 10
        while the_device(session).last_contact_at is None and time.monotonic() < deadline:
            time.sleep(0.02)
        assert the_device(session).last_contact_at is not None
    finally:
        stop.set()
        contacts.INTERVAL_S = before
