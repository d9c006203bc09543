"""The declarative base of every table, aware datetimes, and how SQLite must be opened to keep its promises.

Sessions are made by the server; nothing here reads the environment.
"""

import fcntl
import functools
import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import JSON, DateTime, Dialect, Engine, Insert, MetaData, TextClause, event, insert, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection
from sqlalchemy.orm import DeclarativeBase, Session, registry
from sqlalchemy.types import TypeDecorator

from sync.folding import fold_letters

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Json = JSON().with_variant(JSONB(), "postgresql")


# How long a writer waits for its turn before SQLite's own waiting, which ends in an error, and how often it looks.
_WAIT_S = 10.0
_LOOK_S = 0.0003
_TURN = "teral_turn"
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000", "secure_delete=ON")
# The function by which SQLite takes case and accents off a text (folded_column.py).
FOLD = "teral_fold"


class UTCDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC. SQLite keeps no zone, so a naive value is refused rather than guessed."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Models work with and without Flask: the server hands this class to Flask-SQLAlchemy."""

    # On the registry, because Flask-SQLAlchemy derives its own base from this one.
    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={datetime: UTCDateTime(), dict[str, Any]: Json, list[Any]: Json},
    )


def prepare_sqlite(engine: Engine) -> None:
    """Make every connection of a SQLite engine durable and let writers queue instead of failing.

    WAL with synchronous=FULL fsyncs at each commit: an acknowledged record survives a power cut. pysqlite's own BEGIN
    is off, since it opens transactions too late for savepoints and rollback to be whole. What is erased is overwritten
    in the file: not every build of SQLite does so by itself.
    """
    event.listen(engine, "connect", _open_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "checkin", _leave_no_transaction)


def _open_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
    connection.create_function(FOLD, 1, fold_letters, deterministic=True)


def _leave_no_transaction(connection: Any, record: Any) -> None:
    """After a COMMIT that failed SQLAlchemy takes the transaction for ended; SQLite still holds the write lock."""
    if connection is not None and connection.in_transaction:
        connection.rollback()
    if _TURN in record.info:
        record.info[_TURN].leave()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("isolation_level") == "AUTOCOMMIT":
        return
    database = connection.engine.url.database
    if options.get("write") and database:
        if _TURN not in connection.info:
            connection.info[_TURN] = _Turn(database)
        connection.info[_TURN].take()
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("write") else "BEGIN")


class _Turn:
    """A connection's place in the queue for the write lock, over all processes; a process that dies leaves it.

    SQLite's own waiting sleeps in steps of up to a tenth of a second: measured beside one busy writer, another waited
    for five seconds. Here whoever is next holds the door, so that nobody who just had a turn comes before him.
    """

    def __init__(self, database: str) -> None:
        self._files: list[int] = []
        for part in ("door", "desk"):
            self._files.append(os.open(f"{database}-{part}", os.O_RDWR | os.O_CREAT, 0o600))
        self._door, self._desk = self._files
        self._mine = False

    def __del__(self) -> None:
        """With the connection, which nobody may have closed."""
        for file in self._files:
            os.close(file)

    def take(self) -> None:
        until = time.monotonic() + _WAIT_S
        if not self._mine and _lock(self._door, until):
            self._mine = _lock(self._desk, until)
            fcntl.flock(self._door, fcntl.LOCK_UN)

    def leave(self) -> None:
        if self._mine:
            self._mine = False
            fcntl.flock(self._desk, fcntl.LOCK_UN)

    def is_waited_for(self) -> bool:
        """Whoever waits for the desk holds the door."""
        try:
            fcntl.flock(self._door, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(self._door, fcntl.LOCK_UN)
        return False


def _lock(file: int, until: float) -> bool:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(_LOOK_S)
        else:
            return True


def plan_by_values(connection: Connection) -> None:
    """Until the transaction ends, let PostgreSQL plan each query for the values that it asks for.

    The driver prepares what it has asked five times, and one plan for all values takes a rare word for a common one.
    SQLite knows no values when it plans.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))


def begin_write(session: Session) -> None:
    """Open the session's transaction as a writer; must come before its first query.

    On SQLite a transaction that reads first and writes later fails when another writer came between (SQLITE_BUSY
    without waiting), so a writer takes the lock at once and waits its turn. PostgreSQL needs nothing.
    """
    session.connection(execution_options={"write": True})


def is_waited_for(session: Session) -> bool:
    """Tell whether another writer waits for this one to end; on PostgreSQL writers do not wait for each other."""
    turn: _Turn | None = session.connection().info.get(_TURN)
    return turn is not None and turn.is_waited_for()


def add_rows(connection: Connection, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all name the same columns, every one that is not nullable among them.

    SQLite takes them one by one and is quick at it. To PostgreSQL they go as one value: a statement for each of some
    thousand rows cost it four times as much as the rows themselves.
    """
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        statement = _insert_from_json(table.__tablename__, tuple(rows[0]))
        told = orjson.dumps([dict(one) for one in rows], default=_tell_value)
        connection.execute(statement, {"rows": told.decode()})
    else:
        connection.execute(_insert(table), rows)


def _tell_value(value: object) -> str:
    """What JSON has no word for, as PostgreSQL reads it."""
    return f"\\x{value.hex()}" if isinstance(value, bytes) else str(value)


@functools.cache
def _insert(table: type[Base]) -> Insert:
    return insert(table)


@functools.cache
def _insert_from_json(table: str, names: tuple[str, ...]) -> TextClause:
    columns = ", ".join(f'"{name}"' for name in names)
    told = f"json_populate_recordset(NULL::{table}, CAST(:rows AS json))"
    return text(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {told}")
