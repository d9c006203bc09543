"""Exports kept for a day, so that who lost the line takes them up again: where they lie, and when they go.

They hold answers, and nobody looks into them for those of a record: an erasure ends all that were made before it.
Who gets one, and for what request: rest/snapshots.py.
"""

import logging
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from flask import current_app
from sqlalchemy.orm import Session

from sync.erasure import find_last_erasure

log = logging.getLogger(__name__)

KEPT_S = 24 * 3600
# Of the disk, which records come in on.
LEAST_FREE = 1024**3
# For so long an export is still written after its reader has gone.
LINGERING_S = 60
_FOLDER = "exports"
_PART = ".part"


@dataclass(frozen=True, slots=True)
class KeptExports:
    """The exports that may still be had: those made since the last erasure, with whose number their names begin."""

    folder: Path
    most_bytes: int
    last_erasure: int

    def find(self, name: str) -> Path | None:
        """The whole export of this name."""
        kept = self._place(name)
        return kept if name.isalnum() and kept.is_file() else None

    def keep(self, name: str, source: Iterator[bytes]) -> Iterator[bytes]:
        """Hand on what comes, and write it down on the way; also what its reader, who went away, may come back for."""
        copy = _Copy(self._place(name), self._make_room())
        try:
            for chunk in source:
                copy.write(chunk)
                yield chunk
            copy.finish()
        except GeneratorExit:
            _linger(source, copy)
            raise
        finally:
            copy.drop()

    def clear(self) -> int:
        """Remove what is older than a day or was made before the last erasure, also what is still being written."""
        oldest = time.time() - KEPT_S
        gone = [one for one, at, _size in self._list() if at < oldest or not one.name.startswith(self._place("").name)]
        for one in gone:
            one.unlink(missing_ok=True)
        return len(gone)

    def _place(self, name: str) -> Path:
        return self.folder / f"{self.last_erasure}-{name}"

    def _make_room(self) -> int:
        """How much another may take: the oldest make way until half of the room is free."""
        kept = sorted(self._list(), key=lambda one: (one[0].suffix == _PART, one[1]))
        taken = sum(size for _one, _at, size in kept)
        for one, _at, size in kept:
            if taken <= self.most_bytes // 2 or one.suffix == _PART:
                break
            one.unlink(missing_ok=True)
            taken -= size
        return self.most_bytes - taken

    def _list(self) -> Iterator[tuple[Path, float, int]]:
        for one in self.folder.iterdir():
            # Another process may finish a whole one, or remove an old one, as we do.
            with suppress(FileNotFoundError):
                found = one.stat()
                yield one, found.st_mtime, found.st_size


def find_kept_exports(session: Session) -> KeptExports:
    """Those of the application that runs, on the data's own disk."""
    settings = current_app.extensions["teral_settings"]
    folder: Path = settings.data_path / _FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    return KeptExports(folder, settings.kept_exports_mb * 1024 * 1024, find_last_erasure(session))


class _Copy:
    """A file on its way, under a name that nobody is given; without room for it nothing is kept, and nothing breaks."""

    def __init__(self, target: Path, room: int) -> None:
        self.target, self.part, self.room = target, target.with_name(target.name + _PART), room
        self.file: IO[bytes] | None = self.part.open("wb")

    def write(self, chunk: bytes) -> None:
        if self.file is not None and self._has_room(len(chunk)):
            self.file.write(chunk)
            self.room -= len(chunk)
        elif self.file is not None:
            log.warning("an export is sent, but not kept: there is no room for it")
            self.drop()

    def finish(self) -> None:
        """Give it its name; it may have been removed meanwhile, for an erasure."""
        if self.file is not None:
            self.file.close()
            with suppress(FileNotFoundError):
                self.part.rename(self.target)

    def drop(self) -> None:
        """Leave nothing of what is not whole."""
        if self.file is not None:
            self.file.close()
            self.file = None
            self.part.unlink(missing_ok=True)

    def _has_room(self, size: int) -> bool:
        return size <= self.room and shutil.disk_usage(self.target.parent).free > LEAST_FREE + size


def _linger(source: Iterator[bytes], copy: _Copy) -> None:
    """Write the rest, if it is not too long and there is room; who comes back begins anew otherwise."""
    until = time.monotonic() + LINGERING_S
    for chunk in source:
        copy.write(chunk)
        if copy.file is None or time.monotonic() > until:
            return
    copy.finish()
