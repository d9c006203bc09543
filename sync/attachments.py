"""Files that come with submissions and forms: content-addressed, on disk before any row names them.

One code path over fsspec: a local folder by default, S3 by address. Who may read a file is decided elsewhere.
"""

import errno
import fcntl
import hashlib
import io
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Protocol

import fsspec.core
from fsspec.implementations.local import LocalFileSystem
from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from sync.models import Blob

_CHUNK = 1024 * 1024
_LOCK = ".lock"
# No content has this name.
_MARK = ".store"
# What this store itself writes: the rest of a hash, or a name for what is not whole yet.
_OURS = re.compile(r"[0-9a-f]{62}|\.[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is safe in the store: its address, the hash that Collect wants, its length."""

    sha256: str
    md5: str
    size: int


class _Disk(Protocol):
    """How one kind of storage makes a write survive a power cut."""

    def renew(self, path: str) -> bool:
        """Say whether a file is there, and make it survive: it is as if it had been written now."""

    def write(self, path: str, source: IO[bytes]) -> None: ...

    def remove(self, path: str, since: datetime) -> int | None:
        """Remove a file and return its length, 0 where there is none; None where it was written or renewed since."""

    def list_folders(self) -> Iterator[tuple[str, list[tuple[str, datetime]]]]:
        """Each folder with the names in it, and when each was written or renewed."""


class AttachmentStore:
    """Keeps bytes under the name of their SHA-256, so that the same file sent twice is kept once."""

    def __init__(self, url: str) -> None:
        self._files, root = fsspec.core.url_to_fs(url)
        self._root = str(root).rstrip("/")
        local = isinstance(self._files, LocalFileSystem)
        self._disk: _Disk = _LocalDisk(Path(self._root)) if local else _ObjectStorage(self._files, self._root)

    def save(self, content: bytes | IO[bytes]) -> StoredFile:
        """Return only when the bytes would survive a power cut; the row that names them comes afterwards."""
        source = io.BytesIO(content) if isinstance(content, bytes) else content
        stored = _measure(source)
        path = self._path(stored.sha256)
        if not self._disk.renew(path):
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

    def remove(self, name: str, since: datetime) -> int | None:
        """Remove a file that nobody names, and return how many bytes that were, 0 where it is gone already.

        None where it was saved since: whoever saved it is about to name it. Raises OSError where the disk refuses.
        Between two machines over one object storage nothing can be locked: there the time alone tells them apart.
        """
        return self._disk.remove(self._path(name), since)

    def list_idle(self, before: datetime, after: datetime) -> Iterator[list[str]]:
        """The names of all files that were last saved before then, folder by folder.

        What was saved after a time that is still to come is so by a clock that went wrong, and listed with them.
        Beside the hashes these are names of files that were never whole: their writer lost its power.
        """
        for folder, found in self._disk.list_folders():
            old = [name for name, saved_at in found if not before <= saved_at <= after]
            idle = [folder + name for name in old if _OURS.fullmatch(name)]
            if idle:
                yield idle

    def read_mark(self) -> str | None:
        """The mark by which the store is known again, if somebody has set one."""
        try:
            return bytes(self._files.cat_file(f"{self._root}/{_MARK}")).decode(errors="replace").strip()
        except FileNotFoundError:
            return None

    def write_mark(self, mark: str) -> None:
        """Set the mark by which the store is known again."""
        self._disk.write(f"{self._root}/{_MARK}", io.BytesIO(mark.encode()))

    def _path(self, name: str) -> str:
        # Names are hashes only: what a tablet calls its file never reaches the file system.
        return f"{self._root}/{name[:2]}/{name[2:]}"


_ADD_BLOB = {
    "sqlite": insert_sqlite(Blob).on_conflict_do_nothing().returning(Blob.sha256),
    "postgresql": insert_postgresql(Blob).on_conflict_do_nothing().returning(Blob.sha256),
}


# On SQLite nobody else writes meanwhile.
_HOLD_BLOB = select(Blob.sha256).where(Blob.sha256 == bindparam("sha256")).with_for_update(read=True, key_share=True)


def add_blob(connection: Connection, stored: StoredFile, now: datetime) -> None:
    """Add the row of a file that is already safe; a file that is known stays as it is, until the transaction ends."""
    row = {"sha256": stored.sha256, "md5": stored.md5, "size": stored.size, "created_at": now}
    while connection.execute(_ADD_BLOB[connection.dialect.name], row).first() is None:
        if connection.execute(_HOLD_BLOB, {"sha256": stored.sha256}).first() is not None:
            break


def _measure(source: IO[bytes]) -> StoredFile:
    sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    source.seek(0)
    while chunk := source.read(_CHUNK):
        sha256.update(chunk)
        md5.update(chunk)
        size += len(chunk)
    return StoredFile(sha256.hexdigest(), md5.hexdigest(), size)


class _LocalDisk:
    """File fsynced under a temporary name, renamed, folder fsynced: rename(2) alone survives no power cut.

    A file's time is when it was last saved. Who looks at it in order to remove the file has the disk alone, so that
    nobody finds the file there in between and relies on it.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._synced: set[Path] = set()

    def renew(self, path: str) -> bool:
        try:
            with self._locked(fcntl.LOCK_SH):
                os.utime(path)
        except (FileNotFoundError, PermissionError):
            # Of a file that somebody else restored its time cannot be set: it is written anew.
            return False
        # Whoever renamed it may not have come to syncing the folder: a tablet sends again when no answer comes.
        self._make_folder(Path(path).parent)
        sync_folder(Path(path).parent)
        return True

    def write(self, path: str, source: IO[bytes]) -> None:
        final = Path(path)
        self._make_folder(final.parent)
        temporary = final.with_name(f".{uuid.uuid4().hex}")
        try:
            with temporary.open("xb") as target:
                shutil.copyfileobj(source, target, _CHUNK)
                target.flush()
                os.fsync(target.fileno())
            # Whoever removes has looked at the time of the one before, and would remove this one in its place.
            with self._locked(fcntl.LOCK_SH):
                os.replace(temporary, final)  # noqa: PTH105 (the order of these two calls is watched by a test)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(final.parent)

    def remove(self, path: str, since: datetime) -> int | None:
        file = Path(path)
        try:
            with self._locked(fcntl.LOCK_EX):
                found = file.stat()
                if found.st_mtime > time.time():
                    # The clock of a post went wrong for a while, and has come back: the file's time begins now.
                    os.utime(file)
                if found.st_mtime > since.timestamp():
                    return None
                file.unlink()
        except FileNotFoundError:
            self._refuse_unmounted()
            return 0
        sync_folder(file.parent)
        return found.st_size

    def _refuse_unmounted(self) -> None:
        # Where a disk is not mounted nothing is there, and all of it comes back with the disk.
        if next(self._root.glob("??/"), None) is None:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))

    def list_folders(self) -> Iterator[tuple[str, list[tuple[str, datetime]]]]:
        for folder in self._root.glob("??/"):
            yield folder.name, list(_list_local(folder))

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        descriptor = os.open(self._root / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, how)
            yield
        finally:
            os.close(descriptor)

    def _make_folder(self, folder: Path) -> None:
        # Once in each process, since whoever made it may have died before its name was safe.
        if folder not in self._synced:
            folder.mkdir(parents=True, exist_ok=True)
            sync_folder(self._root)
            self._synced.add(folder)


def _list_local(folder: Path) -> Iterator[tuple[str, datetime]]:
    for one in os.scandir(folder):
        # Files come and go while we look.
        with suppress(FileNotFoundError):
            yield one.name, datetime.fromtimestamp(one.stat().st_mtime, UTC)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _ObjectStorage:
    """A PUT is atomic and durable when it is acknowledged, so there is nothing to rename."""

    def __init__(self, files: Any, root: str) -> None:
        self._files, self._root = files, root

    def renew(self, path: str) -> bool:
        """Only another PUT renews what is there, and costs no more than it cost to bring the bytes here."""
        return False

    def write(self, path: str, source: IO[bytes]) -> None:
        with self._files.open(path, "wb") as target:
            shutil.copyfileobj(source, target, _CHUNK)

    def remove(self, path: str, since: datetime) -> int | None:
        self._files.invalidate_cache()
        try:
            found = self._files.info(path)
        except FileNotFoundError:
            return 0
        # Of a storage that tells no times nothing is removed.
        if found.get("LastModified") is None or found["LastModified"] > since:
            return None
        self._files.rm_file(path)
        return int(found["size"])

    def list_folders(self) -> Iterator[tuple[str, list[tuple[str, datetime]]]]:
        self._files.invalidate_cache()
        for folder in self._files.ls(self._root, detail=False) if self._files.exists(self._root) else ():
            # Beside the folders lies the store's mark.
            found = self._files.ls(folder, detail=True) if len(_last(folder)) == 2 else []
            timed = [one for one in found if one["type"] == "file" and one.get("LastModified") is not None]
            yield _last(folder), [(_last(one["name"]), one["LastModified"]) for one in timed]


def _last(path: str) -> str:
    return path.rpartition("/")[2]
