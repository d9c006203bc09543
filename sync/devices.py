"""Tablets: enrolled, heard of, in which state, and alerts about them. Their secrets belong to the server's accounts.

Contacts come in batches: hundreds of requests a second must not become hundreds of writes.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from forms.errors import N_, FormsError
from sync.audit import add_audit_event
from sync.models import DEVICE_STATES, Actor, Alert, Device, DeviceFetch, Site

# Collect writes its package name and version, then the system's own agent with the release of Android.
_COLLECT = re.compile(r"org\.odk\.collect\.android/v?([\w.+-]{1,64})")
_LONGEST_NAME = 255
_ANDROID = re.compile(r"Android (\d[\w.]{0,32})")


class DeviceRefused(FormsError):
    """Something that a tablet cannot be."""

    messages = {
        "device_name": N_("A tablet needs a site and a name."),
        "device_name_taken": N_("There is a tablet %(name)s already."),
    }


@dataclass(frozen=True, slots=True)
class Fetch:
    """One file in one state that a tablet fetched. `kind` is form, media or list."""

    kind: str
    form_id: str
    version: str
    name: str
    hash: str


@dataclass(slots=True)
class Contact:
    """What the latest requests of one tablet told about it."""

    device_id: int
    at: datetime
    kind: str
    collect_id: str | None = None
    user_agent: str | None = None
    submitted_at: datetime | None = None
    fetches: dict[Fetch, datetime] = field(default_factory=dict)


def add_device(session: Session, site: Site, name: str, language: str, now: datetime) -> Device:
    """Add an active tablet at a site, with the actor that journals name."""
    actor = Actor(kind="device", display_name=name, created_at=now)
    session.add(actor)
    session.flush()
    device = Device(
        actor_id=actor.id,
        site=site,
        name=name,
        language=language,
        state="active",
        enrolled_at=now,
        state_changed_at=now,
    )
    session.add(device)
    session.flush()
    return device


def find_device(session: Session, name: str) -> Device | None:
    """Find a tablet by its name."""
    return session.scalar(select(Device).where(Device.name == name))


def list_devices(session: Session) -> list[Device]:
    """Every tablet, by name."""
    return list(session.scalars(select(Device).order_by(Device.name)))


def check_device_name(session: Session, name: str) -> None:
    """Raise DeviceRefused unless a new tablet may be named so."""
    if not 0 < len(name) <= _LONGEST_NAME:
        raise DeviceRefused("device_name")
    if find_device(session, name) is not None:
        raise DeviceRefused("device_name_taken", name=name)


def change_device_state(
    session: Session,
    device: Device,
    state: str,
    now: datetime,
    by: int | None = None,
    obeyed_at: datetime | None = None,
) -> None:
    """Set what is known about where a tablet is and whether it holds data, and write a change into the journal.

    On a relay, `obeyed_at` is when the centre said so.
    """
    if state not in DEVICE_STATES:
        raise ValueError(f"{state} is no state of a device")
    if device.state != state:
        device.state, device.state_changed_at, device.obeyed_at = state, now, obeyed_at
        session.flush()
        add_audit_event(session, by, f"device.{state}", f"device:{device.id}", now)


def record_contacts(
    session: Session, contacts: Iterable[Contact], now: datetime, at_most_every: timedelta = timedelta()
) -> list[Contact]:
    """Write what tablets told by ringing; one statement per kind of news, whatever the number of tablets.

    A tablet whose last contact on record is younger than `at_most_every` waits: its news are returned.
    """
    told = {one.device_id: one for one in contacts}
    known = session.execute(_KNOWN, {"ids": list(told)}).all()
    due = [row for row in known if _is_due(row.last_contact_at, now, at_most_every)]
    if due:
        _raise_second_ids(session, due, told, now)
        session.connection().execute(_TOUCH, [_touched(told[row.id]) for row in due])
        _add_fetches(session, [told[row.id] for row in due])
    return [told[row.id] for row in known if row not in due]


def _is_due(last_contact_at: datetime | None, now: datetime, at_most_every: timedelta) -> bool:
    # Whatever the sign: a clock that was put back must not silence a tablet for hours.
    return not at_most_every or last_contact_at is None or abs(now - last_contact_at) >= at_most_every


# In one order, so that two web processes on PostgreSQL never wait for each other.
_KNOWN = (
    select(Device.id, Device.site_id, Device.collect_id, Device.last_contact_at)
    .where(Device.id.in_(bindparam("ids", expanding=True)))
    .order_by(Device.id)
    .with_for_update(key_share=True)
)


_TOUCH = (
    update(Device)
    .where(Device.id == bindparam("device"))
    .values(
        last_contact_at=bindparam("at"),
        last_contact_kind=bindparam("kind"),
        # A browser or a curl call says nothing of Collect: what was known stays.
        collect_id=func.coalesce(bindparam("collect"), Device.collect_id),
        collect_version=func.coalesce(bindparam("collect_version_"), Device.collect_version),
        android_version=func.coalesce(bindparam("android"), Device.android_version),
        last_submission_at=func.coalesce(
            bindparam("submitted", type_=Device.last_submission_at.type), Device.last_submission_at
        ),
    )
)


def _touched(contact: Contact) -> dict[str, Any]:
    agent = contact.user_agent or ""
    return {
        "device": contact.device_id,
        "at": contact.at,
        "kind": contact.kind,
        "collect": contact.collect_id,
        "collect_version_": _first(_COLLECT, agent),
        "android": _first(_ANDROID, agent),
        "submitted": contact.submitted_at,
    }


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found.group(1) if found else None


def _raise_second_ids(
    session: Session, rows: Sequence[Row[*tuple[Any, ...]]], told: Mapping[int, Contact], now: datetime
) -> None:
    """A second deviceID on one credential: Collect was installed anew, or the address was copied. A human must see."""
    for row in rows:
        if row.collect_id and told[row.id].collect_id not in (None, "", row.collect_id):
            raise_alert(session, "second_device_id", now, device_id=row.id, site_id=row.site_id)


def raise_alert(
    session: Session, kind: str, now: datetime, device_id: int | None, site_id: int | None, **params: object
) -> None:
    """Raise an alert unless the same one is still unsettled. One that tells of a file tells of that file alone."""
    same = Alert.kind == kind, Alert.device_id == device_id, Alert.site_id == site_id
    # Nothing else names the file of a record that nobody could read: it would be taken as unneeded.
    same_file = Alert.params["sha256"].as_string() == params.get("sha256")
    open_already = select(Alert.id).where(*same, same_file, Alert.settled_at.is_(None))
    if session.scalar(open_already.limit(1)) is None:
        session.add(Alert(kind=kind, raised_at=now, device_id=device_id, site_id=site_id, params=params))
        session.flush()


def settle_alert(session: Session, alert: Alert, actor_id: int, now: datetime) -> None:
    """Note that somebody saw to an alert."""
    alert.settled_at, alert.settled_by_id = now, actor_id
    session.flush()
    add_audit_event(session, actor_id, "alert.settled", f"alert:{alert.id}", now)


def _add_fetches(session: Session, batch: list[Contact]) -> None:
    rows = [
        {
            "device_id": contact.device_id,
            "kind": fetch.kind,
            "form_id": fetch.form_id,
            "version": fetch.version,
            "name": fetch.name,
            "hash": fetch.hash,
            "first_at": at,
            "last_at": at,
        }
        for contact in batch
        for fetch, at in contact.fetches.items()
    ]
    if rows:
        connection = session.connection()
        insert = insert_postgresql if connection.dialect.name == "postgresql" else insert_sqlite
        add = insert(DeviceFetch)
        what = ["device_id", "kind", "form_id", "version", "name", "hash"]
        connection.execute(add.on_conflict_do_update(index_elements=what, set_={"last_at": add.excluded.last_at}), rows)


def record_clock(session: Session, device_id: int, ahead_s: int) -> None:
    """Note a clock that is proven to be ahead, by a record whose own end lies after its receipt."""
    session.execute(update(Device).where(Device.id == device_id).values(clock_ahead_s=ahead_s))
