"""Files that nobody names leave the disk: found, and removed piece by piece, so that nobody waits for it.

Which they are is sync's word (freed_files.py); that nobody is just saving one, the store's (attachments.py).
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.orm import Session

from server.extensions import attachment_store
from server.own_store import is_own_store, pair_store
from server.processes import MayGoOn
from server.transactions import Transactions
from sync.audit import add_audit_event
from sync.freed_files import (
    AT_ONCE,
    count_noted,
    find_strays,
    forget_files,
    in_pieces,
    list_due,
    list_unnamed,
    list_unsettled,
    note_files,
    settle_files,
)

log = logging.getLogger(__name__)

# A file is on disk before anything names it: whoever saved one within this time may be about to.
BEING_NAMED = timedelta(days=1)
# A file that came whole over a thin link waits for what names it, and a post may be without a link for weeks.
KEEP_UNNAMED = timedelta(days=60)
# A server that is started on another database than its files are of has a row for none of them, and somebody sees it.
KEEP_STRAYS = timedelta(days=30)
_HEAD = 4096
# What comes before the first bracket of XML: a byte order mark, white space, and in UTF-16 a zero in each letter.
_BEFORE_XML = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"
_ours = Transactions()


@dataclass(slots=True)
class Removal:
    """How many files left the disk, with how many bytes; how many are to but were just saved, or cannot be removed."""

    files: int = 0
    bytes: int = 0
    waiting: int = 0
    failed: int = 0


class FilesLeft(Exception):
    """Files that are to leave the disk are still there; why is in the log."""


def note_unneeded(now: datetime, may_go_on: MayGoOn = lambda: True) -> int:
    """Note when files that nobody names, and of which nobody knew, are to leave the disk; return how many these are."""
    pair_store(now)
    count = 0
    for names, due_at in find_unneeded(now):
        if not may_go_on():
            break
        if names:
            _ours.write(partial(_note, names=names, due_at=due_at))
        count += len(names)
    return count


def find_unneeded(now: datetime) -> Iterator[tuple[Sequence[str], datetime]]:
    """Look through the whole store, piece by piece, for files that nobody names and that are not noted.

    With each piece comes when what was found in it is to go; mostly nothing is.
    """
    for some in in_pieces(_ours.read(partial(list_unnamed, before=now - KEEP_UNNAMED, after=now + BEING_NAMED))):
        yield [one for one in some if not _may_be_record(one)], now + KEEP_STRAYS
    if not is_own_store():
        return
    for names in attachment_store().list_idle(now - BEING_NAMED, now + BEING_NAMED):
        for some in in_pieces(names):
            strays = sorted(_ours.read(partial(find_strays, names=some)))
            yield strays, now + KEEP_STRAYS


def _may_be_record(name: str) -> bool:
    """Tell whether a file begins like XML: it may be the only copy of a record that nobody could read.

    Older versions kept such records without a word that names them. Of what cannot be read now nothing is known.
    """
    try:
        with attachment_store().open(name) as file:
            return file.read(_HEAD).lstrip(_BEFORE_XML).startswith(b"<")
    except OSError as error:
        log.error("a file in folder %s cannot be read: %s", name[:2], error.strerror)
        return True


def remove_files(now: datetime, due_by: datetime | None = None, may_go_on: MayGoOn = lambda: True) -> Removal:
    """Remove what is due from the disk. A file that the disk does not let go of stops no other, and stays due."""
    for some in in_pieces(_ours.read(list_unsettled)):
        _ours.write(partial(settle_files, names=some))
    total, due = Removal(), list_due_files(due_by or now)
    if due and not is_own_store():
        # What was erased here goes all the same.
        due = list_due_files(AT_ONCE)
    for some in in_pieces(due):
        if may_go_on():
            _remove_some(some, now, total)
    return total


def count_noted_files() -> int:
    """How many files are to leave the disk, whenever that is."""
    return _ours.read(count_noted)


def list_due_files(due_by: datetime) -> Sequence[str]:
    """What is to leave the disk by then."""
    return _ours.read(partial(list_due, due_by=due_by))


def _remove_some(names: Sequence[str], now: datetime, total: Removal) -> None:
    gone, size = list[str](), 0
    for name in names:
        try:
            removed = attachment_store().remove(name, now - BEING_NAMED)
        except OSError as error:
            # The file's name is a hash of what was erased: how it went is told by folder.
            log.error("a file in folder %s cannot be removed: %s", name[:2], error.strerror)
            total.failed += 1
            continue
        total.waiting += removed is None
        if removed is not None:
            gone.append(name)
            size += removed
    if gone:
        _ours.write(partial(_note_gone, names=gone, size=size, now=now))
    total.files += len(gone)
    total.bytes += size


def _note_gone(session: Session, names: Sequence[str], size: int, now: datetime) -> None:
    forget_files(session, names)
    # Whoever sent one again of a record that was erased may have saved and noted it since: who saves waits for nobody.
    store = attachment_store()
    note_files(session.connection(), [one for one in names if store.has(one)])
    add_audit_event(session, None, "files.removed", "files", now, files=len(names), bytes=size)


def _note(session: Session, names: Sequence[str], due_at: datetime) -> None:
    note_files(session.connection(), names, due_at)
