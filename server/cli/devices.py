"""`teral devices`: enrol tablets, print their QR again (which rotates the secrets), revoke them."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.cli.context import print_json, with_app, word_refusal, writing

if TYPE_CHECKING:
    from server.accounts.credentials import Enrolment
    from server.config import Settings
    from sync.models import Device

_SHOWN = ("device", "server_url", "token", "username", "password", "settings")
_sheet = click.option("--sheet", type=click.Path(dir_okay=False, path_type=Path), help="Write the sheet (PDF) here.")
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON only.")


@click.group("devices")
def devices_group() -> None:
    """Enrol tablets and manage their credentials."""


@devices_group.command("enrol")
@click.option("--site", "site_code", required=True, help="Code of the site where the tablet works.")
@click.option("--name", required=True, help="Name of the tablet, for example PF-ROSSO-01.")
@click.option("--language", type=click.Choice(["fr", "en"]), default="fr", help="Language of its messages.")
@_sheet
@_json
@with_app
def enrol_command(site_code: str, name: str, language: str, sheet: Path | None, as_json: bool) -> None:
    """Add a tablet and show its secrets, this once."""
    from sqlalchemy import select

    from server.accounts.credentials import enrol_device
    from server.extensions import db
    from sync.db import begin_write
    from sync.devices import DeviceRefused
    from sync.models import Site

    session = db.session()
    begin_write(session)
    site = session.scalar(select(Site).where(Site.code == site_code))
    if site is None:
        raise click.ClickException(f"There is no site {site_code}.")
    try:
        enrolment = enrol_device(session, _settings(), site, name, datetime.now(UTC), language)
    except DeviceRefused as refused:
        raise click.ClickException(word_refusal(refused)) from None
    _show(enrolment, sheet, as_json)


@devices_group.command("list")
@_json
@with_app
def list_command(as_json: bool) -> None:
    """List tablets with site, state and last contact."""
    from server.extensions import db
    from sync.devices import list_devices

    rows = [
        {
            "name": device.name,
            "site": device.site.code,
            "state": device.state,
            "last_contact_at": device.last_contact_at.isoformat() if device.last_contact_at else None,
            "collect_version": device.collect_version,
        }
        for device in list_devices(db.session())
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo("  ".join(str(value or "-") for value in row.values()))


@devices_group.command("reprint")
@click.argument("name")
@_sheet
@_json
@with_app
def reprint_command(name: str, sheet: Path | None, as_json: bool) -> None:
    """Give a tablet new secrets; the old ones may still send records for the grace period."""
    from server.accounts.credentials import rotate_credential
    from server.extensions import db

    device = _get_device(name)
    _show(rotate_credential(db.session(), _settings(), device, datetime.now(UTC)), sheet, as_json)


@devices_group.command("revoke")
@click.argument("name")
@with_app
def revoke_command(name: str) -> None:
    """Refuse everything of a tablet from its next request on."""
    from server.accounts.credentials import revoke_device
    from server.extensions import db

    revoke_device(db.session(), _get_device(name), datetime.now(UTC))
    click.echo(f"{name} is revoked.")


def _get_device(name: str) -> "Device":
    from server.extensions import db
    from sync.db import begin_write
    from sync.devices import find_device

    begin_write(db.session())
    device = find_device(db.session(), name)
    if device is None:
        raise click.ClickException(f"There is no tablet {name}.")
    return device


def _settings() -> "Settings":
    from flask import current_app

    settings: Settings = current_app.extensions["teral_settings"]
    return settings


def _show(enrolment: "Enrolment", sheet: Path | None, as_json: bool) -> None:
    if sheet is not None:
        from server.accounts.enrolment_sheet import render_sheet

        with writing(sheet):
            sheet.write_bytes(render_sheet(enrolment))
    values = asdict(enrolment)
    if as_json:
        print_json({name: values[name] for name in _SHOWN})
        return
    for name in _SHOWN[:-1]:
        click.echo(f"{name}: {values[name]}")
