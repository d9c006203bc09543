"""The floor: a bare WSGI stub under our own gunicorn settings. A POST is one committed insert, a GET constant bytes.

What a server of ours could do at most on this machine and disk, with the same bytes and the same durability.
"""

import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from gunicorn.app.base import BaseApplication

from server.config import Settings
from server.serve import gunicorn_settings
from tests.live import demo_settings, wait_until_open

CREATE = {"sqlite": "CREATE TABLE IF NOT EXISTS floor (id INTEGER PRIMARY KEY, body BLOB)",
          "postgresql": "CREATE TABLE IF NOT EXISTS floor (id BIGSERIAL PRIMARY KEY, body BYTEA)"}  # fmt: skip
_CONSTANT = "constant"
_threads = threading.local()
Start = Callable[[str, list[tuple[str, str]]], Any]


@contextmanager
def floor(folder: Any, database_url: str, constant: bytes = b"") -> Iterator[tuple[int, int]]:
    """Run the stub and give its port and its process."""
    settings = demo_settings(folder, database_url)
    # In a file: what goes into the environment must be short.
    (settings.data_path / _CONSTANT).write_bytes(constant)
    given = {"data_dir": settings.data_dir, "database_url": database_url, "port": settings.port}
    environment = {**os.environ, "FLOOR": json.dumps(given)}
    # It writes the access log that Teral writes, into a file as Teral's.
    with (settings.data_path / "floor.log").open("ab") as log:
        process = subprocess.Popen([sys.executable, "-m", "benchmarks.floor"], env=environment, stdout=log)
    try:
        wait_until_open(settings.port, process)
        yield settings.port, process.pid
    finally:
        process.terminate()
        process.wait(30)


class Stub(BaseApplication):  # type: ignore[misc]
    def __init__(self, settings: Settings, constant: bytes) -> None:
        self.settings, self.constant = settings, constant
        super().__init__()

    def load_config(self) -> None:
        for name, value in gunicorn_settings(self.settings).items():
            self.cfg.set(name, value)

    def load(self) -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
        return self.answer

    def answer(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "POST":
            start("200 OK", [("Content-Length", str(len(self.constant))), ("Content-Type", "text/xml")])
            return [self.constant]
        insert(self.settings, environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        start("201 Created", [("Content-Length", "0")])
        return [b""]


def insert(settings: Settings, body: bytes) -> None:
    """One durable insert of the request's bytes, on this thread's own connection."""
    if not hasattr(_threads, "connection"):
        _threads.connection = _connect(settings)
    connection = _threads.connection
    if settings.database_url:
        connection.execute("INSERT INTO floor (body) VALUES (%s)", (body,))
        return
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO floor (body) VALUES (?)", (body,))
    connection.execute("COMMIT")


def _connect(settings: Settings) -> Any:
    if settings.database_url:
        return psycopg.connect(settings.database_url, autocommit=True)
    connection = sqlite3.connect(f"{settings.data_dir}/floor.db", timeout=10, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def main() -> None:
    given = json.loads(os.environ["FLOOR"])
    settings = Settings(**given, log_level="ERROR")
    constant = (settings.data_path / _CONSTANT).read_bytes()
    connection = _connect(settings)
    connection.execute(CREATE["postgresql" if settings.database_url else "sqlite"])
    connection.close()
    Stub(settings, constant).run()


if __name__ == "__main__":
    main()
