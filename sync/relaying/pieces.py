"""Files that come in pieces over a bad link: each piece is kept, and the whole is stored with the last one."""

from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import IO

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from sync.attachments import AttachmentStore, add_blob
from sync.awaited_files import is_awaited
from sync.models import Blob, FilePiece
from sync.relaying.lines import RelayRefused

# What a break costs at most: at a few kilobytes a second, some ten seconds.
PIECE = 64 * 1024
_IN_MEMORY = 8 * 1024 * 1024


def count_held(session: Session, sha256: str) -> int:
    """How many bytes of a file are here, from its start."""
    lengths = select(func.sum(func.length(FilePiece.content))).where(FilePiece.sha256 == sha256)
    return int(session.scalar(lengths) or 0)


def add_piece(
    session: Session, store: AttachmentStore, sha256: str, start: int, content: bytes, size: int, now: datetime
) -> int:
    """Keep a piece that continues what is here, and return how many bytes are here then.

    A piece that is here already changes nothing. Where the whole is not what it was said to be, nothing of it is kept
    and 0 returned. Raises RelayRefused where a piece is missing before this one, and for a file that no record lacks:
    what it belongs to was erased while it was on its way.
    """
    if session.get(Blob, sha256) is not None:
        return size
    if not is_awaited(session, sha256):
        raise RelayRefused("relay_unawaited")
    held = count_held(session, sha256)
    if start + len(content) <= held and size:
        return held
    if start != held or start + len(content) > size:
        raise RelayRefused("relay_piece")
    session.add(FilePiece(sha256=sha256, start=start, content=content, kept_at=now))
    session.flush()
    if start + len(content) < size:
        return start + len(content)
    is_same = _store_whole(session, store, sha256, now)
    session.execute(delete(FilePiece).where(FilePiece.sha256 == sha256))
    return size if is_same else 0


def forget_pieces(session: Session, since: datetime, until: datetime) -> int:
    """Let go of pieces of files of which none has come since then; return how many. Who has the file begins anew.

    What came after a time that is still to come did so by a clock that went wrong.
    """
    living = select(FilePiece.sha256).where(FilePiece.kept_at.between(since, until))
    doomed = delete(FilePiece).where(FilePiece.sha256.not_in(living))
    return session.connection().execute(doomed).rowcount


def _store_whole(session: Session, store: AttachmentStore, sha256: str, now: datetime) -> bool:
    pieces = select(FilePiece.content).where(FilePiece.sha256 == sha256).order_by(FilePiece.start)
    with SpooledTemporaryFile(_IN_MEMORY) as whole:
        for content in session.scalars(pieces.execution_options(yield_per=8)):
            whole.write(content)
        return keep_file(session, store, sha256, whole, now)


def keep_file(session: Session, store: AttachmentStore, sha256: str, content: IO[bytes], now: datetime) -> bool:
    """Store a file that came whole; say whether it is the one that was told of, else nothing names it."""
    stored = store.save(content)
    if stored.sha256 == sha256:
        add_blob(session.connection(), stored, now)
    return stored.sha256 == sha256
