"""`teral database`: what developers do with the schema. Migrating itself is part of `teral setup`."""

import click

from server.cli.context import with_app


@click.group("database")
def database_group() -> None:
    """Write migrations."""


@database_group.command("migration")
@click.argument("message")
@with_app
def migration_command(message: str) -> None:
    """Write the next numbered migration from the difference between schema and models."""
    from server.database import MIGRATIONS, write_migration
    from server.extensions import db

    number = len(list((MIGRATIONS / "versions").glob("[0-9]*.py"))) + 1
    write_migration(db.engine, message, f"{number:04}")
