"""One archive with everything: every table as JSON lines and every file, readable by either kind of database.

The manifest comes last, so that a cut archive is noticed. Secrets that live outside of the database (TERAL_SECRET_KEY,
decryption keys) are not in it.
"""

import base64
import hashlib
import io
import json
import os
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Column, Connection, Date, Engine, LargeBinary, Table, func, insert, select, text, update
from sqlalchemy.exc import SQLAlchemyError

import server.accounts.models  # noqa: F401 (its tables belong in the archive)
from server.database import migrate, read_revision
from sync.attachments import AttachmentStore
from sync.db import Base, UTCDateTime
from sync.models import Blob

FORMAT = "teral-backup-1"
_MANIFEST = "manifest.json"
_ROWS_AT_ONCE = 500
# A table beyond this size waits on disk until its length is known.
_SPOOLED = 16 * 1024 * 1024


class BackupRefused(Exception):
    """An archive that cannot be written or read; the message is one line for an administrator."""


def write_backup(engine: Engine, store: AttachmentStore, target: Path) -> dict[str, Any]:
    """Write the archive and return its manifest; the file appears under its name only when it is whole and on disk."""
    partial = target.with_name(target.name + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        manifest = _write_archive(engine, store, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(target)
    _sync_folder(target.parent)
    return manifest


def read_backup(engine: Engine, store: AttachmentStore, source: Path) -> dict[str, Any]:
    """Read an archive into an empty database, everything or nothing; raises BackupRefused."""
    migrate(engine)
    with engine.connect().execution_options(write=True) as connection, connection.begin():
        _refuse_rows(connection)
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        try:
            with tarfile.open(source, "r:gz") as archive:
                manifest = _read_archive(connection, store, archive)
        except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, KeyError, SQLAlchemyError) as error:
            raise BackupRefused(
                f"{source.name} is cut, altered or no backup of Teral; nothing was restored."
            ) from error
        _advance_sequences(connection)
    return manifest


def _write_archive(engine: Engine, store: AttachmentStore, file: IO[bytes]) -> dict[str, Any]:
    tables: dict[str, dict[str, Any]] = {}
    files = 0
    with _snapshot(engine) as connection, tarfile.open(fileobj=file, mode="w:gz", compresslevel=3) as archive:
        revision = read_revision(connection)
        for table in Base.metadata.sorted_tables:
            tables[table.name] = _write_table(connection, archive, table)
        for blob in connection.execute(select(Blob.sha256, Blob.size)).all():
            with store.open(blob.sha256) as content:
                _add(archive, f"files/{blob.sha256}", content, blob.size)
            files += 1
        manifest = {"format": FORMAT, "revision": revision, "tables": tables, "files": files}
        data = json.dumps(manifest).encode()
        _add(archive, _MANIFEST, io.BytesIO(data), len(data))
    return manifest


def _snapshot(engine: Engine) -> Connection:
    """A connection that sees one moment: what tablets send meanwhile is in the next backup."""
    if engine.dialect.name == "postgresql":
        return engine.connect().execution_options(isolation_level="REPEATABLE READ")
    return engine.connect()


def _write_table(connection: Connection, archive: tarfile.TarFile, table: Table) -> dict[str, Any]:
    digest, rows = hashlib.sha256(), 0
    with tempfile.SpooledTemporaryFile(_SPOOLED) as spool:
        result = connection.execution_options(stream_results=True).execute(select(table).order_by(*table.primary_key))
        for row in result.yield_per(_ROWS_AT_ONCE).mappings():
            line = json.dumps({column.name: _plain(row[column]) for column in table.columns}).encode() + b"\n"
            digest.update(line)
            spool.write(line)
            rows += 1
        size = spool.tell()
        spool.seek(0)
        _add(archive, f"tables/{table.name}.jsonl", spool, size)
    return {"rows": rows, "sha256": digest.hexdigest()}


def _add(archive: tarfile.TarFile, name: str, content: IO[bytes], size: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    archive.addfile(member, content)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if isinstance(value, date) else value


def _read_archive(connection: Connection, store: AttachmentStore, archive: tarfile.TarFile) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {}
    links: list[tuple[Table, int, dict[str, Any]]] = []
    files = 0
    for member in archive:
        content = archive.extractfile(member)
        if content is None:
            raise ValueError("not a plain file")
        if member.name == _MANIFEST:
            manifest: dict[str, Any] = json.load(content)
            _hold_against(manifest, read_revision(connection), found, files)
            _link(connection, links)
            return manifest
        if member.name.startswith("files/"):
            files += _read_file(store, member.name.removeprefix("files/"), content)
        else:
            table = Base.metadata.tables[member.name.removeprefix("tables/").removesuffix(".jsonl")]
            found[table.name] = _read_table(connection, table, content, links)
    raise ValueError("no manifest")


def _hold_against(manifest: dict[str, Any], revision: str, found: dict[str, dict[str, Any]], files: int) -> None:
    if manifest["format"] != FORMAT or manifest["revision"] != revision:
        raise BackupRefused("This backup is of another version of Teral: restore it with that version, then upgrade.")
    if manifest["tables"] != found or manifest["files"] != files:
        raise ValueError("the manifest does not fit")


def _read_file(store: AttachmentStore, sha256: str, content: IO[bytes]) -> int:
    if store.save(content).sha256 != sha256:
        raise ValueError("a file was altered")
    return 1


def _read_table(
    connection: Connection, table: Table, content: IO[bytes], links: list[tuple[Table, int, dict[str, Any]]]
) -> dict[str, Any]:
    digest, rows, batch = hashlib.sha256(), 0, list[dict[str, Any]]()
    own = [column for column in table.columns if any(key.column.table is table for key in column.foreign_keys)]
    for line in content:
        digest.update(line)
        row = {name: _value(table.columns[name], value) for name, value in json.loads(line).items()}
        # A row may name one that comes after it; such links are set when all rows are there.
        later = {column.name: row[column.name] for column in own if (row[column.name] or 0) > row["id"]}
        if later:
            links.append((table, row["id"], later))
            row |= dict.fromkeys(later)
        batch.append(row)
        rows += 1
        if len(batch) == _ROWS_AT_ONCE:
            connection.execute(insert(table), batch)
            batch = []
    if batch:
        connection.execute(insert(table), batch)
    return {"rows": rows, "sha256": digest.hexdigest()}


def _value(column: Column[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(column.type, LargeBinary):
        return base64.b64decode(value, validate=True)
    if isinstance(column.type, UTCDateTime):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if isinstance(column.type, Date) else value


def _link(connection: Connection, links: list[tuple[Table, int, dict[str, Any]]]) -> None:
    for table, row_id, values in links:
        connection.execute(update(table).where(table.c.id == row_id).values(values))


def _refuse_rows(connection: Connection) -> None:
    for table in Base.metadata.sorted_tables:
        if connection.execute(select(table).limit(1)).first() is not None:
            raise BackupRefused("This database holds data already; a backup is restored into an empty one only.")


def _advance_sequences(connection: Connection) -> None:
    if connection.dialect.name != "postgresql":
        return
    for table in _numbered_tables():
        highest = connection.scalar(select(func.max(table.c.id)))
        if highest is not None:
            sequence = text("SELECT setval(pg_get_serial_sequence(:table, 'id'), :highest)")
            connection.execute(sequence, {"table": table.name, "highest": highest})


def _numbered_tables() -> Iterator[Table]:
    return (table for table in Base.metadata.sorted_tables if "id" in table.columns)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
