"""`teral registry`: whether two servers know the same."""

import click

from server.cli.context import with_app
from server.extensions import db
from sync.registry import registry_digest


@click.group("registry")
def registry_group() -> None:
    """The registry of persons and encounters."""


@registry_group.command("digest")
@with_app
def digest_command() -> None:
    """Print a digest of all persons, their values and encounters: equal on servers that know the same."""
    click.echo(registry_digest(db.session()))
