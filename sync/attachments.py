"""Files that come with submissions and forms: content-addressed, on disk before any row names them.

One code path over fsspec: a local folder by default, S3 by address. Who may read a file is decided elsewhere.
"""

import hashlib
import io
import os
import shutil
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Protocol

import fsspec.core
from fsspec.implementations.local import LocalFileSystem
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from sync.models import Blob

_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is safe in the store: its address, the hash that Collect wants, its length."""

    sha256: str
    md5: str
    size: int


class _Disk(Protocol):
    """How one kind of storage makes a write survive a power cut."""

    def write(self, path: str, source: IO[bytes]) -> None: ...

    def confirm(self, path: str) -> None:
        """Make the name of a file survive that somebody else has written, or is about to have written."""


class AttachmentStore:
    """Keeps bytes under the name of their SHA-256, so that the same file sent twice is kept once."""

    def __init__(self, url: str) -> None:
        self._files, root = fsspec.core.url_to_fs(url)
        self._root = str(root).rstrip("/")
        local = isinstance(self._files, LocalFileSystem)
        self._disk: _Disk = _LocalDisk(Path(self._root)) if local else _ObjectStorage(self._files)

    def save(self, content: bytes | IO[bytes]) -> StoredFile:
        """Return only when the bytes would survive a power cut; the row that names them comes afterwards."""
        source = io.BytesIO(content) if isinstance(content, bytes) else content
        stored = _measure(source)
        path = self._path(stored.sha256)
        if self.has(stored.sha256):
            self._disk.confirm(path)
        else:
            source.seek(0)
            self._disk.write(path, source)
        return stored

    def has(self, sha256: str) -> bool:
        """Tell whether the file is there, whole: a name appears only after its bytes."""
        return bool(self._files.exists(self._path(sha256)))

    def read(self, sha256: str) -> bytes:
        """Return the file's bytes; raise FileNotFoundError when it is not there."""
        content: bytes = self._files.cat_file(self._path(sha256))
        return content

    def open(self, sha256: str) -> IO[bytes]:
        """Return the file as a stream for reading."""
        stream: IO[bytes] = self._files.open(self._path(sha256), "rb")
        return stream

    def is_whole(self, sha256: str) -> bool:
        """Tell whether the file is there and its bytes are still those that were saved."""
        try:
            with self.open(sha256) as content:
                return _measure(content).sha256 == sha256
        except FileNotFoundError:
            return False

    def _path(self, sha256: str) -> str:
        # Names are hashes only: what a tablet calls its file never reaches the file system.
        return f"{self._root}/{sha256[:2]}/{sha256[2:]}"


_ADD_BLOB = {
    "sqlite": insert_sqlite(Blob).on_conflict_do_nothing(),
    "postgresql": insert_postgresql(Blob).on_conflict_do_nothing(),
}


def add_blob(connection: Connection, stored: StoredFile, now: datetime) -> None:
    """Add the row of a file that is already safe; a file that is known stays as it is."""
    row = {"sha256": stored.sha256, "md5": stored.md5, "size": stored.size, "created_at": now}
    connection.execute(_ADD_BLOB[connection.dialect.name], row)


def _measure(source: IO[bytes]) -> StoredFile:
    sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    source.seek(0)
    while chunk := source.read(_CHUNK):
        sha256.update(chunk)
        md5.update(chunk)
        size += len(chunk)
    return StoredFile(sha256.hexdigest(), md5.hexdigest(), size)


class _LocalDisk:
    """File fsynced under a temporary name, renamed, folder fsynced: rename(2) alone survives no power cut."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._synced: set[Path] = set()

    def write(self, path: str, source: IO[bytes]) -> None:
        final = Path(path)
        self._make_folder(final.parent)
        temporary = final.with_name(f".{uuid.uuid4().hex}")
        try:
            with temporary.open("xb") as target:
                shutil.copyfileobj(source, target, _CHUNK)
                target.flush()
                os.fsync(target.fileno())
            os.replace(temporary, final)  # noqa: PTH105 (the order of these two calls is watched by a test)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(final.parent)

    def confirm(self, path: str) -> None:
        # Whoever renamed it may not have come to syncing the folder: a tablet sends again when no answer comes.
        self._make_folder(Path(path).parent)
        sync_folder(Path(path).parent)

    def _make_folder(self, folder: Path) -> None:
        # Once in each process, since whoever made it may have died before its name was safe.
        if folder not in self._synced:
            folder.mkdir(parents=True, exist_ok=True)
            sync_folder(self._root)
            self._synced.add(folder)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _ObjectStorage:
    """A PUT is atomic and durable when it is acknowledged, so there is nothing to rename."""

    def __init__(self, files: Any) -> None:
        self._files = files

    def write(self, path: str, source: IO[bytes]) -> None:
        with self._files.open(path, "wb") as target:
            shutil.copyfileobj(source, target, _CHUNK)

    def confirm(self, path: str) -> None:
        """What can be seen is safe."""
