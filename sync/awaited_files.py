"""Files that a relay told of with a record, and that the record still lacks: they may come in pieces, over weeks."""

from collections.abc import Collection

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from sync.models import AwaitedFile, Erasure, FilePiece


def await_files(session: Session, submission_id: int, files: Collection[str]) -> None:
    """Note by their hashes which files a record lacks now, and no others."""
    mine = select(AwaitedFile.sha256).where(AwaitedFile.submission_id == submission_id)
    known = set(session.scalars(mine))
    gone = AwaitedFile.sha256.in_(known - set(files))
    session.execute(delete(AwaitedFile).where(AwaitedFile.submission_id == submission_id, gone))
    session.add_all(AwaitedFile(submission_id=submission_id, sha256=one) for one in sorted(set(files) - known))
    session.flush()


def is_awaited(session: Session, sha256: str) -> bool:
    """Whether any record lacks this file. What was erased lacks nothing."""
    living = AwaitedFile.submission_id.not_in(select(Erasure.submission_id))
    awaited = select(AwaitedFile.sha256).where(AwaitedFile.sha256 == sha256, living)
    return session.scalar(awaited.limit(1)) is not None


def stop_awaiting(session: Session, submission_id: int) -> set[str]:
    """Let a record lack nothing any more, and what came of its files be forgotten; return which these were."""
    mine = set(session.scalars(select(AwaitedFile.sha256).where(AwaitedFile.submission_id == submission_id)))
    await_files(session, submission_id, ())
    others = select(AwaitedFile.sha256)
    session.execute(delete(FilePiece).where(FilePiece.sha256.in_(mine), FilePiece.sha256.not_in(others)))
    return mine
