"""Making and migrating the schema. Migrations are numbered files, run by `teral setup`."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

import sync.models  # noqa: F401 (all tables must be in the metadata)
from sync.db import Base

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(engine: Engine) -> None:
    """Bring the schema to the newest revision; safe to repeat."""
    with engine.connect() as connection:
        connection = connection.execution_options(write=True)
        with connection.begin():
            command.upgrade(_config(connection), "head")


def read_revision(connection: Connection) -> str:
    """The revision of the schema; "" before the first migration."""
    return MigrationContext.configure(connection).get_current_revision() or ""


@cache
def newest_revision() -> str:
    """The revision that this program's models belong to."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def list_differences(engine: Engine) -> list[object]:
    """What the migrated schema and the models disagree on; empty when they are equal."""
    with engine.connect() as connection:
        return list(
            compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), Base.metadata)
        )


def write_migration(engine: Engine, message: str, number: str) -> None:
    """Write the numbered migration that brings the schema to the models (`make migration`)."""
    with engine.connect() as connection:
        command.revision(_config(connection), message, autogenerate=True, rev_id=number)


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config
