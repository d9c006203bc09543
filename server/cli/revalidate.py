"""`teral revalidate`: what is stored, judged once more."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click
from sqlalchemy.orm import Session

from server.cli.context import print_json, with_app
from server.extensions import attachment_store, db
from server.keys import current_keys
from server.processing import process_pending
from sync.db import begin_write
from sync.revalidation import Change, compare, list_judged, release_changed

_AT_ONCE = 100


@click.command("revalidate")
@click.option("--form", "form_id", required=True, help="The form whose records are judged again.")
@click.option("--version", help="Only records of this version.")
@click.option("--apply", "applies", is_flag=True, help="Process the records that change; without it nothing is.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_app
def revalidate_command(form_id: str, version: str | None, applies: bool, as_json: bool) -> None:
    """Judge stored records again and show what changes; needed after the validator was mended."""
    ids, changes = _compare_all(form_id, version)
    if applies:
        _apply([one.submission_id for one in changes if one.after is not None])
    result = {
        "judged": len(ids),
        "changed": len(changes),
        "applied": applies,
        "states": dict(Counter(f"{one.before} → {one.after or 'failed'}" for one in changes)),
        "submissions": [asdict(one) for one in changes],
    }
    print_json(result) if as_json else _print(result, changes)


def _compare_all(form_id: str, version: str | None) -> tuple[Sequence[int], list[Change]]:
    """A batch and a session at a time: a year of records does not fit into memory."""
    with Session(db.engine) as session:
        ids = list_judged(session, form_id, version)
    changes: list[Change] = []
    for start in range(0, len(ids), _AT_ONCE):
        with Session(db.engine) as session:
            batch = ids[start : start + _AT_ONCE]
            changes += compare(session, attachment_store(), batch, current_keys(), datetime.now(UTC))
    return ids, changes


def _apply(ids: Sequence[int]) -> None:
    for start in range(0, len(ids), _AT_ONCE):
        with Session(db.engine) as session:
            begin_write(session)
            release_changed(session, ids[start : start + _AT_ONCE], None, datetime.now(UTC))
            session.commit()
    process_pending()


def _print(result: dict[str, Any], changes: list[Change]) -> None:
    click.echo(f"judged: {result['judged']}, changed: {result['changed']}, applied: {result['applied']}")
    for states, count in result["states"].items():
        click.echo(f"  {count}: {states}")
    for one in changes:
        click.echo(f"{one.submission_id} {one.instance_id}: {one.before} → {one.after or 'failed'}")
        for sign, marks in (("+", one.added), ("-", one.removed)):
            for mark in marks:
                click.echo(f"  {sign} {mark.grade} {mark.path}: {mark.code}")
