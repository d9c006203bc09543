"""`teral entities`: follow-up lists, their rows and one row's history, for whoever stands at the server."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click

from server.cli.context import print_json, with_app
from server.extensions import db
from server.web.tables import stream_csv
from sync.audit import add_audit_event
from sync.db import begin_write
from sync.entity_browsing import (
    ENTITY_STATES,
    TROUBLES,
    EntityFilters,
    find_entity,
    list_entities,
    list_names,
    list_properties,
    summarise_list,
)
from sync.entity_export import export_head, export_lines
from sync.entity_history import Step, read_history
from sync.merge import Fate
from sync.models import Entity, EntityConflict

_FILTERS = (
    click.option("--state", type=click.Choice(ENTITY_STATES), help="Only rows in this state."),
    click.option("--trouble", type=click.Choice(TROUBLES), help="Only rows with a conflict or an update on hold."),
    click.option("--site", "site_code", help="Only rows of this site."),
)


@click.group("entities")
def entities_group() -> None:
    """Follow-up lists: what tablets hold offline, and what they say about it."""


def _with_filters(command: Any) -> Any:
    for option in _FILTERS:
        command = option(command)
    return command


@entities_group.command("list")
@click.argument("list_name", metavar="LIST", required=False)
@_with_filters
@click.option("--search", "asked", default="", help="Only rows with these words, each as it begins.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="At most so many rows.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_app
def list_command(list_name: str | None, limit: int, as_json: bool, **filters: Any) -> None:
    """List the lists with their counts, or the rows of one list by label."""
    if list_name is None:
        rows = [_describe_list(name) for name in list_names(db.session(), None)]
        _show(rows, ("list", "entities", "open", "conflicts", "held"), as_json)
        return
    _check_list(list_name)
    found = [_describe(one) for one in _read_rows(list_name, EntityFilters(**filters), limit)]
    _show(found, ("uuid", "label", "version", "site", "state"), as_json)


@entities_group.command("show")
@click.argument("list_name", metavar="LIST")
@click.argument("uuid", metavar="UUID")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_app
def show_command(list_name: str, uuid: str, as_json: bool) -> None:
    """Show one row with everything that was said about it: who, when, from which record, and what became of it."""
    _check_list(list_name)
    entity = find_entity(db.session(), None, list_name, uuid)
    if entity is None:
        raise click.ClickException(f"The list {list_name} has no row {uuid}.")
    history = read_history(db.session(), entity, None)
    whole = {
        **_describe(entity),
        "conflicts": [_describe_conflict(one.conflict) for one in history.questions],
        "history": [_describe_step(one) for one in history.steps],
    }
    if as_json:
        print_json(whole)
        return
    for name, value in {"label": entity.label, **entity.properties}.items():
        click.echo(f"{name}\t{value}")
    for step in whole["history"]:
        click.echo(f"{step['at'] or '-'}\t{step['standing']}\t{step['by'] or '-'}\t{step['values']}")


@entities_group.command("export")
@click.argument("list_name", metavar="LIST")
@_with_filters
@with_app
def export_command(list_name: str, **filters: Any) -> None:
    """Write a list as CSV to standard output, with the column names of ODK Central; no cell is a formula."""
    begin_write(db.session())
    _check_list(list_name)
    add_audit_event(db.session(), None, "entities.exported", f"entities:{list_name}", datetime.now(UTC))
    db.session.commit()  # noted before the first line leaves, and nobody who writes has to wait for the last
    properties = list_properties(db.session(), list_name)
    lines = export_lines(db.session(), None, list_name, properties, EntityFilters(**filters))
    for piece in stream_csv(export_head(properties), lines, mark=b""):
        sys.stdout.buffer.write(piece)


def _check_list(list_name: str) -> None:
    names = list_names(db.session(), None)
    if list_name not in names:
        raise click.ClickException(f"There is no list {list_name}. Known: {', '.join(names)}.")


def _show(rows: list[dict[str, Any]], columns: tuple[str, ...], as_json: bool) -> None:
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo("\t".join(str(row[name]) for name in columns))


def _read_rows(list_name: str, filters: EntityFilters, limit: int) -> Iterator[Entity]:
    after, left = None, limit
    while left > 0:
        page = list_entities(db.session(), None, list_name, filters, after)
        yield from page.rows[:left]
        after, left = page.after, left - len(page.rows)
        if after is None:
            return


def _describe_list(name: str) -> dict[str, Any]:
    summary = summarise_list(db.session(), None, name)
    return {
        "list": name,
        "entities": summary.entities,
        "open": summary.open,
        "conflicts": summary.conflicts,
        "held": summary.held,
    }


def _describe(one: Entity) -> dict[str, Any]:
    return {
        "uuid": one.uuid,
        "label": one.label,
        "version": one.version,
        "site": one.site_code,
        "state": "open" if one.is_open else "closed" if one.exists else "absent",
        "deleted_at": one.deleted_at.isoformat() if one.deleted_at else None,
        "open_conflicts": one.open_conflicts,
        "properties": one.properties,
    }


def _describe_conflict(one: EntityConflict) -> dict[str, Any]:
    candidates = [{"step": key, "value": value} for key, value in one.candidates]
    since = one.opened_at.isoformat()
    return {"property": one.property_name, "base": one.base, "candidates": candidates, "since": since}


def _describe_step(step: Step) -> dict[str, Any]:
    said = step.submission
    return {
        "step": step.key,
        "standing": step.standing,
        "at": step.at.isoformat() if step.at else None,
        "received_at": said.received_at.isoformat() if said else None,
        "by": step.actor or (said.device.name if said and said.device else None),
        "submission": {"id": said.id, "form_id": said.form_id, "instance_id": said.instance_id} if said else None,
        "saw": {"kind": step.seen.kind, "version": step.seen.version, "change": step.seen.change},
        "version": step.version,
        "waits_for": step.waits_for,
        "reason": step.decision.reason if step.decision else None,
        "values": dict(step.values),
        "fates": {name: _describe_fate(one) for name, one in step.fates.items()},
    }


def _describe_fate(one: Fate) -> dict[str, Any]:
    return {"before": one.before, "outcome": one.outcome, "by": one.by}
