"""One archive with everything: every table as JSON lines and every file, readable by either kind of database.

The manifest comes last, so that a cut archive is noticed. Secrets that live outside of the database (TERAL_SECRET_KEY,
decryption keys) are not in it.
"""

import base64
import hashlib
import io
import json
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any, cast
from uuid import uuid4

from sqlalchemy import Column, Connection, Date, Engine, LargeBinary, Table, func, insert, select, text, update
from sqlalchemy.exc import SQLAlchemyError

import server.accounts.models  # noqa: F401 (its tables belong in the archive)
from server.database import migrate, newest_revision, read_revision
from sync.attachments import AttachmentStore, sync_folder
from sync.db import Base, UTCDateTime
from sync.models import Blob

FORMAT = "teral-backup-1"
_MANIFEST = "manifest.json"
_TABLES = "tables/"
_FILES = "files/"
_ROWS_AT_ONCE = 500
# A table beyond this size waits on disk until its length is known.
_SPOOLED = 16 * 1024 * 1024

# A row whose columns name rows that come after it: table, id, columns.
_Link = tuple[Table, int, dict[str, Any]]


class BackupRefused(Exception):
    """An archive that cannot be written or read; the message is one line for an administrator."""


def write_backup(engine: Engine, store: AttachmentStore, target: Path, *, replaces: bool = False) -> dict[str, Any]:
    """Write the archive and return its manifest; the file appears under its name only when it is whole and on disk.

    Raises BackupRefused where there is one of that name, which may be the only other copy, unless it is to be replaced.
    """
    if not replaces:
        _refuse_existing(target)
    partial = target.with_name(f".{target.name}.{uuid4().hex}")
    try:
        # Exclusive: in a shared folder nobody can have put a link or a file of theirs there before.
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            manifest = _write_archive(engine, store, file)
            file.flush()
            os.fsync(file.fileno())
        if not replaces:
            _refuse_existing(target)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    sync_folder(target.parent)
    return manifest


def _refuse_existing(target: Path) -> None:
    if target.exists() or target.is_symlink():
        raise BackupRefused(f"{target.name} exists already: name another file, or say --replace.")


def read_backup(engine: Engine, store: AttachmentStore, source: Path) -> dict[str, Any]:
    """Read an archive into an empty database, everything or nothing; raises BackupRefused.

    The archive is read twice: nothing is touched before every byte was held against the manifest.
    """
    migrate(engine)
    manifest = _verify(source)
    with engine.connect().execution_options(write=True) as connection, connection.begin():
        _refuse_rows(connection)
        if manifest["revision"] != read_revision(connection):
            raise BackupRefused("This backup is of another version of Teral: restore it with that one, then upgrade.")
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        try:
            _restore(connection, store, source)
        except (OSError, ValueError, KeyError, SQLAlchemyError) as error:
            # The error's text may quote a row; its type does not.
            raise BackupRefused(f"{source.name} cannot be restored here ({type(error).__name__}).") from error
        _advance_sequences(connection)
        # Until PostgreSQL gathers statistics by itself, pages of a large registry would take it minutes.
        connection.exec_driver_sql("ANALYZE")
    return manifest


def _write_archive(engine: Engine, store: AttachmentStore, file: IO[bytes]) -> dict[str, Any]:
    tables: dict[str, dict[str, Any]] = {}
    files, missing = 0, []
    with _snapshot(engine) as connection, tarfile.open(fileobj=file, mode="w:gz", compresslevel=3) as archive:
        revision = read_revision(connection)
        if revision != newest_revision():
            raise BackupRefused("The database is not ready: run `teral setup` first.")
        for table in Base.metadata.sorted_tables:
            tables[table.name] = _write_table(connection, archive, table)
        for sha256, size in connection.execute(select(Blob.sha256, Blob.size)).yield_per(_ROWS_AT_ONCE):
            # One file that a disk lost must not make every later backup impossible, nor one that cannot be restored.
            if _add_file(archive, store, sha256, size):
                files += 1
            else:
                missing.append(sha256)
        lost = [one for one in missing if _is_known(engine, one)]
        manifest = {"format": FORMAT, "revision": revision, "tables": tables, "files": files, "missing": lost}
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
        _add(archive, f"{_TABLES}{table.name}.jsonl", spool, size)
    return {"rows": rows, "sha256": digest.hexdigest()}


def _add_file(archive: tarfile.TarFile, store: AttachmentStore, sha256: str, size: int) -> bool:
    """Add a file, and say whether it was there, whole."""
    content = _open_whole(store, sha256)
    if content is None:
        return False
    with content:
        _add(archive, f"{_FILES}{sha256}", content, size)
    return True


def _open_whole(store: AttachmentStore, sha256: str) -> IO[bytes] | None:
    """Open a file first and look afterwards: once it is open nobody takes it away from under us."""
    try:
        content = store.open(sha256)
    except FileNotFoundError:
        return None
    if hashlib.file_digest(cast("io.BufferedReader", content), "sha256").hexdigest() != sha256:
        content.close()
        return None
    content.seek(0)
    return content


def _is_known(engine: Engine, sha256: str) -> bool:
    """Whether a file ought to be there now: one that is erased while the backup is written is not lost."""
    with engine.connect() as connection:
        return connection.execute(select(Blob.sha256).where(Blob.sha256 == sha256)).first() is not None


def _add(archive: tarfile.TarFile, name: str, content: IO[bytes], size: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    archive.addfile(member, content)
    _forget_members(archive)


def _forget_members(archive: tarfile.TarFile) -> None:
    """tarfile remembers every member it saw; with a million photographs that would be a gigabyte."""
    archive.members.clear()  # type: ignore[attr-defined]


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if isinstance(value, date) else value


def _verify(source: Path) -> dict[str, Any]:
    """Return the manifest of an archive that is whole; touches nothing."""
    found: dict[str, dict[str, Any]] = {}
    files = 0
    try:
        for name, content in _iterate_members(source):
            if name == _MANIFEST:
                manifest: dict[str, Any] = json.load(content)
                if (manifest["format"], manifest["tables"], manifest["files"]) != (FORMAT, found, files):
                    raise ValueError("the manifest does not fit")
                return manifest
            if name.startswith(_FILES):
                _verify_file(name, content)
                files += 1
            else:
                found[_table_name(name)] = _measure_table(content)
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, KeyError) as error:
        raise BackupRefused(f"{source.name} is cut, altered or no backup of Teral; nothing was restored.") from error
    raise BackupRefused(f"{source.name} is cut: its end is missing; nothing was restored.")


def _iterate_members(source: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with tarfile.open(source, "r|gz") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            if content is None:
                raise ValueError("not a plain file")
            yield member.name, content
            _forget_members(archive)


def _verify_file(name: str, content: IO[bytes]) -> None:
    if hashlib.file_digest(cast("io.BufferedReader", content), "sha256").hexdigest() != name.removeprefix(_FILES):
        raise ValueError("a file was altered")


def _measure_table(content: IO[bytes]) -> dict[str, Any]:
    digest, rows = hashlib.sha256(), 0
    for line in content:
        digest.update(line)
        rows += 1
    return {"rows": rows, "sha256": digest.hexdigest()}


def _restore(connection: Connection, store: AttachmentStore, source: Path) -> None:
    links: list[_Link] = []
    for name, content in _iterate_members(source):
        if name == _MANIFEST:
            break
        if name.startswith(_FILES):
            _restore_file(store, content)
        else:
            _restore_table(connection, Base.metadata.tables[_table_name(name)], content, links)
    for table, row_id, values in links:
        connection.execute(update(table).where(table.c.id == row_id).values(values))


def _restore_file(store: AttachmentStore, content: IO[bytes]) -> None:
    # The store reads twice, and a gzip stream cannot go back.
    with tempfile.SpooledTemporaryFile(_SPOOLED) as spool:
        shutil.copyfileobj(content, spool)
        store.save(spool)


def _table_name(member_name: str) -> str:
    return member_name.removeprefix(_TABLES).removesuffix(".jsonl")


def _restore_table(connection: Connection, table: Table, content: IO[bytes], links: list[_Link]) -> None:
    own = [column for column in table.columns if any(key.column.table is table for key in column.foreign_keys)]
    batch: list[dict[str, Any]] = []
    for line in content:
        row = {name: _value(table.columns[name], value) for name, value in json.loads(line).items()}
        # A row may name one that comes after it; such links are set when all rows are there.
        later = {column.name: row[column.name] for column in own if (row[column.name] or 0) > row["id"]}
        if later:
            links.append((table, row["id"], later))
        batch.append(row | dict.fromkeys(later))
        if len(batch) == _ROWS_AT_ONCE:
            connection.execute(insert(table), batch)
            batch = []
    if batch:
        connection.execute(insert(table), batch)


def _value(column: Column[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(column.type, LargeBinary):
        return base64.b64decode(value, validate=True)
    if isinstance(column.type, UTCDateTime):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if isinstance(column.type, Date) else value


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
