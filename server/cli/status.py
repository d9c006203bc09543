"""`teral status`: how far every tablet and record has come."""

from datetime import UTC, datetime
from typing import Any

import click

from server.cli.context import print_json, with_app
from server.extensions import db
from sync.entity_browsing import ListTrouble
from sync.models import Device
from sync.punctuality import Lag
from sync.status import Status, Waiting, read_status


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_app
def status_command(as_json: bool) -> None:
    """Say how far every tablet and record has come."""
    status = read_status(db.session(), None, datetime.now(UTC))
    if as_json:
        print_json(_describe(status))
        return
    for state, count in status.counts.items():
        click.echo(f"{state:12} {count}")
    click.echo(f"{'open gaps':12} {len(status.gaps)}")
    for device in status.devices:
        click.echo(f"{device.name:20} {device.site.code:12} {_moment(device.last_contact_at) or '-'}")


def _describe(status: Status) -> dict[str, Any]:
    return {
        "submissions": dict(status.counts),
        "devices": [_describe_device(one, status) for one in status.devices],
        "pending": status.pending,
        "oldest_pending_s": int(status.oldest_pending_s or 0),
        "waiting": [_describe_waiting(one) for one in status.waiting],
        "findings": dict(status.finding_kinds),
        "held": [{"form_id": one.form_id, "waits_for": one.waits_for, "count": one.count} for one in status.held],
        "lists": [_describe_trouble(one) for one in status.list_troubles],
        "lag": _describe_lag(status.lag),
        "open_gaps": len(status.gaps),
        "relays": [
            {"relay": one.site.code, "heard_at": _moment(one.heard_at), "waiting": one.waiting} for one in status.relays
        ],
    }


def _describe_trouble(one: ListTrouble) -> dict[str, Any]:
    return {"list": one.name, "trouble": one.trouble, "count": one.count, "since": _moment(one.since)}


def _describe_waiting(one: Waiting) -> dict[str, Any]:
    return {"state": one.state, "reason": one.reason, "count": one.count, "oldest_at": _moment(one.oldest_at)}


def _describe_lag(lag: Lag | None) -> dict[str, float] | None:
    return {"median_s": lag.median_s, "p90_s": lag.p90_s} if lag else None


def _describe_device(device: Device, status: Status) -> dict[str, Any]:
    return {
        "device": device.name,
        "site": device.site.code,
        "state": device.state,
        "last_contact_at": _moment(device.last_contact_at),
        "last_contact_kind": device.last_contact_kind,
        "last_submission_at": _moment(device.last_submission_at),
        "collect_version": device.collect_version,
        "clock_ahead_s": device.clock_ahead_s,
        "submissions": dict(status.device_counts.get(device.id, {})),
        "lag": _describe_lag(status.device_lags.get(device.id)),
        "older_forms": {one.form_id: one.version for one in status.drift if one.device_id == device.id},
    }


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
