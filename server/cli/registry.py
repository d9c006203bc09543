"""`teral registry`: whether two servers know the same, and the registry told anew."""

from datetime import UTC, datetime
from typing import TextIO

import click
from sqlalchemy.orm import Session

from forms.errors import FormsError
from server.cli.context import with_app, word_refusal
from server.extensions import attachment_store, db
from server.keys import current_keys
from server.processing import process_pending
from sync.db import begin_write
from sync.journal import parse_lines, read_journal, receive_journal, write_line
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


@registry_group.command("journal")
@with_app
def journal_command() -> None:
    """Print what cannot be read off submissions, one fact a line: served numbers, acts, decisions, releases, models."""
    for fact in read_journal(db.session()):
        click.echo(write_line(fact))


@registry_group.command("receive")
@click.argument("file", type=click.File(encoding="utf-8"))
@with_app
def receive_command(file: TextIO) -> None:
    """Take in another server's journal, before its submissions come. All of it, or nothing."""
    with Session(db.engine) as session:
        begin_write(session)
        try:
            receive_journal(session, parse_lines(file), datetime.now(UTC))
        except FormsError as refused:
            raise click.ClickException(word_refusal(refused)) from refused
        session.commit()


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
