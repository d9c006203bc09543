"""One connection per thread for the reads of tablets: taking one from the pool costs three times the statement."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError


class Reader:
    """Hands each thread its own connection, on which every statement is a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._mine = threading.local()
        self._all: list[Connection] = []
        event.listen(engine, "engine_disposed", self._close)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """The thread's connection; one that broke is not used again."""
        connection: Connection | None = getattr(self._mine, "connection", None)
        if connection is None or connection.closed:
            connection = self._mine.connection = self._open()
        try:
            yield connection
        except DBAPIError:
            connection.close()
            raise

    def _open(self) -> Connection:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        with self._lock:
            self._all = [one for one in self._all if not one.closed] + [connection]
        return connection

    def _close(self, _engine: Any) -> None:
        with self._lock:
            for connection in self._all:
                connection.close()
            self._all.clear()
