"""`teral registry`: whether two servers know the same, and the registry told anew."""

from datetime import UTC, datetime

import click
from sqlalchemy.orm import Session

from server.cli.context import with_app, word_refusal
from server.extensions import attachment_store, db
from server.keys import current_keys
from server.processing import process_pending
from sync.db import begin_write
from sync.rebuilding import RebuildRefused, Rebuilt, rebuild_registry
from sync.registry import registry_digest


@click.group("registry")
def registry_group() -> None:
    """The registry of persons, encounters and entities."""


@registry_group.command("digest")
@with_app
def digest_command() -> None:
    """Print a digest of all persons, their values, encounters and entities: equal on servers that know the same."""
    click.echo(registry_digest(db.session()))


@registry_group.command("rebuild")
@with_app
def rebuild_command() -> None:
    """Tell the registry anew from submissions and journal; the digest stays, unless something was damaged.

    On SQLite tablets wait while it runs.
    """
    process_pending()
    with Session(db.engine) as session:
        begin_write(session)
        before = registry_digest(session)
        rebuilt = _rebuild(session)
        after = registry_digest(session)
        session.commit()
    click.echo(f"submissions: {rebuilt.submissions}, entities: {rebuilt.entities}")
    click.echo(f"digest: {after}" + (" (as before)" if after == before else f" (before: {before})"))


def _rebuild(session: Session) -> Rebuilt:
    try:
        return rebuild_registry(session, attachment_store(), current_keys(), datetime.now(UTC))
    except RebuildRefused as refused:
        raise click.ClickException(word_refusal(refused)) from refused
