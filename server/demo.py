"""The demonstration: sites, one user per role and tablets, all invented; their secrets lie in var/demo.json (0600).

Safe to repeat: what is there stays, and so do passwords and QR codes. Records are sent by server/tablets.
"""

import tomllib
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.collect_settings import collect_settings, server_url
from server.accounts.credentials import Enrolment, enrol_device, find_credential_by_token, rotate_credential
from server.accounts.models import User
from server.accounts.users import add_user, find_user, make_password, reset_password, verify_password
from server.config import ConfigError, Settings
from sync.catalogue import bump_catalogue
from sync.devices import find_device
from sync.models import Device, Setting, Site, Submission

_SOURCE = Path(__file__).parent / "demo.toml"
_MARK = "demo"


def add_demo(session: Session, settings: Settings, known: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Make the demonstration whole and return its logins and enrolments; refuses a database that holds real data."""
    source = tomllib.loads(_SOURCE.read_text())
    _mark(session, now)
    sites = {one["code"]: _ensure_site(session, one, now) for one in source["sites"]}
    return {
        "users": [_ensure_user(session, one, sites, known["users"], now) for one in source["users"]],
        "tablets": [
            _ensure_tablet(session, settings, sites[one["code"]], number, known["tablets"], now)
            for one in source["sites"]
            for number in range(1, one["tablets"] + 1)
        ],
    }


def is_demo(session: Session) -> bool:
    return session.scalar(select(Setting.value).where(Setting.name == _MARK)) is not None


def _mark(session: Session, now: datetime) -> None:
    if is_demo(session):
        return
    for table in (User, Device, Submission):
        if session.scalar(select(table.id).limit(1)) is not None:
            raise ConfigError("This database holds real accounts, tablets or records: demo data do not go in.")
    session.add(Setting(name=_MARK, value=True, changed_at=now))
    session.flush()


def _ensure_site(session: Session, source: dict[str, Any], now: datetime) -> Site:
    site = session.scalar(select(Site).where(Site.code == source["code"]))
    if site is None:
        values = {name: value for name, value in source.items() if name != "tablets"}
        site = Site(**values, created_at=now)
        session.add(site)
        session.flush()
        bump_catalogue(session)
    return site


def _ensure_user(
    session: Session, source: dict[str, str], sites: dict[str, Site], known: list[dict[str, Any]], now: datetime
) -> dict[str, Any]:
    email, site = source["email"], sites.get(source.get("site", ""))
    user = find_user(session, email)
    password = next((one["password"] for one in known if one["email"] == email), "")
    if user is None:
        password = make_password()
        user = add_user(session, email=email, role=source["role"], password=password, now=now, site=site)
        user.actor.display_name = source["name"]
    elif not password or not verify_password(user, password):
        password = reset_password(session, user, now)
        user.must_change_password = False
    return {**source, "password": password}


def _ensure_tablet(
    session: Session, settings: Settings, site: Site, number: int, known: list[dict[str, Any]], now: datetime
) -> dict[str, Any]:
    name = f"{site.code}-{number:02}"
    device = find_device(session, name)
    if device is None:
        return _describe(enrol_device(session, settings, site, name, now))
    kept = next((one for one in known if one["device"] == name), None)
    if kept is None or not _holds(session, settings, device, kept["token"], now):
        return _describe(rotate_credential(session, settings, device, now))
    # The address may be another one today; the credential is the same.
    own = {"server_url": server_url(settings, kept["token"])}
    return {**kept, **own, "settings": collect_settings(settings, device, kept["token"])}


def _holds(session: Session, settings: Settings, device: Device, token: str, now: datetime) -> bool:
    holder = find_credential_by_token(session.connection(), token, now, settings.token_grace_days)
    return holder is not None and holder.device_id == device.id and holder.right == "all"


def _describe(enrolment: Enrolment) -> dict[str, Any]:
    return asdict(enrolment)
