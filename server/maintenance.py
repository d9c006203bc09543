"""What a database needs once a day, beside what it does by itself. The files of records are file_removal.py's."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from sync.db import Base, begin_write
from sync.erasure import has_erased

# A day, and as long again for a machine that was off.
_LATELY = timedelta(days=2)


def maintain(engine: Engine, now: datetime) -> None:
    """Let the files let go of what was erased lately; SQLite's log is made short and its statistics fresh as well."""
    if engine.dialect.name == "sqlite":
        _refresh_statistics(engine)
        _empty_log(engine)
    elif _has_erased(engine, now):
        _vacuum(engine)


def _refresh_statistics(engine: Engine) -> None:
    with Session(engine) as session:
        # As a writer from the start: it reads statistics first, and what others write meanwhile would make it fail.
        begin_write(session)
        session.connection().exec_driver_sql("PRAGMA optimize")
        session.commit()


def _empty_log(engine: Engine) -> None:
    """What was erased stands in the log until other rows are written over it.

    Who reads for long is not waited for, since tablets would wait as well: then it goes with another day's run.
    """
    with _alone(engine) as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=1000")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _has_erased(engine: Engine, now: datetime) -> bool:
    with Session(engine) as session:
        return has_erased(session, now - _LATELY)


def _vacuum(engine: Engine) -> None:
    """PostgreSQL keeps rows as they were before a change until there are many, which those of an erasure never are."""
    tables = ", ".join(table.name for table in Base.metadata.sorted_tables)
    with _alone(engine) as connection:
        connection.exec_driver_sql(f"VACUUM (SKIP_LOCKED) {tables}")


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A connection outside of any transaction, which nobody uses afterwards."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.detach()
        yield connection
