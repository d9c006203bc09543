"""Connections for the reads of tablets, kept open: taking one from the pool costs three times the statement."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError


class Reader:
    """Hands out so many connections and no more, on which every statement is a transaction of its own.

    Nobody holds one while waiting for a tablet: a few serve as many threads as there are.
    """

    def __init__(self, engine: Engine, connections: int) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._free: SimpleQueue[Connection | None] = SimpleQueue()
        for _ in range(connections):
            self._free.put(None)
        self._all: list[Connection] = []
        event.listen(engine, "engine_disposed", self._close)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection, waiting for one if need be; one that broke is not used again."""
        connection = self._free.get()
        try:
            if connection is None or connection.closed:
                connection = self._open()
            yield connection
        except DBAPIError:
            if connection is not None:
                connection.close()
            raise
        finally:
            self._free.put(connection)

    def _open(self) -> Connection:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        with self._lock:
            self._all = [one for one in self._all if not one.closed] + [connection]
        return connection

    def _close(self, _engine: Any) -> None:
        with self._lock:
            for connection in self._all:
                # The pool from which it came is gone, and would keep it open.
                if not connection.closed:
                    connection.detach()
                    connection.close()
            self._all.clear()
