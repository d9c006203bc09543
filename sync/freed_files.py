"""Files that nobody names any more: which they are, and that they are to leave the disk. Removing them is the server's.

A file is named by the submissions, forms and alerts that have it, and by a record that awaits it from a relay. Who lets
go of it notes it here. Its row goes at once, so that nobody finds it and no backup takes it along; the note stays until
the disk has let go, too, and who is cut off in between goes on from there.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, delete, literal_column, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from sync.models import (
    Alert,
    AwaitedFile,
    Blob,
    Erasure,
    FormAttachment,
    FreedFile,
    SubmissionAttachment,
    SubmissionEvent,
)

_names: BindParameter[Any] = bindparam("names", expanding=True)
_ATTACHED = select(SubmissionAttachment.blob_sha256).where(SubmissionAttachment.blob_sha256.in_(_names))
_ERASED = select(Erasure.submission_id)
# Where an exchange and an erasure of the same record met, it may be said to lack files that it was to lose.
_AWAITED = select(AwaitedFile.sha256).where(AwaitedFile.sha256.in_(_names), AwaitedFile.submission_id.not_in(_ERASED))
_OF_FORMS = select(FormAttachment.blob_sha256).where(FormAttachment.blob_sha256.in_(_names))
_told_of = Alert.params["sha256"].as_string()
_UNREADABLE = select(_told_of).where(Alert.kind == "unreadable_record", _told_of.in_(_names))
_mine = SubmissionAttachment.submission_id == bindparam("owner")
_MINE = select(SubmissionAttachment.blob_sha256).where(_mine, SubmissionAttachment.blob_sha256.is_not(None))
# Hardly any record has one. The kind is spelled out, or SQLite does not see the partial index.
_other = SubmissionEvent.details["sha256"].as_string()
_OTHERS = select(_other).where(SubmissionEvent.kind == literal_column("'other_file'"))
_OTHERS_OF_LIVING = _OTHERS.where(_other.in_(_names), SubmissionEvent.submission_id.not_in(_ERASED))
_HOLD = select(Blob.sha256).where(Blob.sha256.in_(_names)).order_by(Blob.sha256).with_for_update(skip_locked=True)
_ROWS = select(Blob.sha256).where(Blob.sha256.in_(_names))
_NOTES = select(FreedFile.name).where(FreedFile.name.in_(_names))


def list_files_of(session: Session, submission_id: int) -> set[str]:
    """The hashes of all files that came with a submission, also of those that came second under the same name."""
    others = _OTHERS.where(SubmissionEvent.submission_id == submission_id)
    return {*session.scalars(_MINE, {"owner": submission_id}), *session.scalars(others)}


def free_files(session: Session, names: Collection[str], now: datetime) -> None:
    """Let go of files whose names somebody has given up: those that nobody else names are to leave the disk now."""
    note_files(session.connection(), names, now)
    settle_files(session, names)


def note_files(connection: Connection, names: Collection[str], due_at: datetime) -> None:
    """Note that files are to leave the disk then, unless somebody names them before. Of two times the earlier holds."""
    make = insert_sqlite if connection.dialect.name == "sqlite" else insert_postgresql
    note = make(FreedFile)
    due = note.excluded.due_at
    note = note.on_conflict_do_update(index_elements=["name"], set_={"due_at": due}, where=FreedFile.due_at > due)
    if names:
        connection.execute(note, [{"name": one, "due_at": due_at} for one in sorted(names)])


def settle_files(session: Session, names: Collection[str]) -> None:
    """Forget the notes of files that somebody names, and the rows of all others.

    A file that somebody is naming at this very moment stays noted, and is settled another time: a row that is let go of
    is locked, and who names a file holds its row first (attachments.add_blob).
    """
    held = set(session.scalars(_HOLD, {"names": list(names)}))
    named = _find_named(session, held)
    session.execute(delete(FreedFile).where(FreedFile.name.in_(named)))
    session.execute(delete(Blob).where(Blob.sha256.in_(held - named)))


def list_unsettled(session: Session) -> Sequence[str]:
    """Files that are noted and have a row: somebody was just naming them, or sent them again since."""
    return session.scalars(select(FreedFile.name).join(Blob, Blob.sha256 == FreedFile.name)).all()


def list_due(session: Session, due_by: datetime) -> Sequence[str]:
    """The files that are to leave the disk by then."""
    has_row = select(Blob).where(Blob.sha256 == FreedFile.name).exists()
    return session.scalars(select(FreedFile.name).where(FreedFile.due_at <= due_by, ~has_row)).all()


def forget_files(session: Session, names: Collection[str]) -> None:
    """Forget the notes of files that have left the disk."""
    session.execute(delete(FreedFile).where(FreedFile.name.in_(names)))


def find_strays(session: Session, names: Collection[str]) -> set[str]:
    """Those of these files on disk of which there is neither a row nor a note: their sender got no answer."""
    known = {*session.scalars(_ROWS, {"names": list(names)}), *session.scalars(_NOTES, {"names": list(names)})}
    return set(names) - known


def list_unnamed(session: Session, before: datetime) -> list[str]:
    """The files with a row from before then that nobody names, and that are not noted yet."""
    attached = select(SubmissionAttachment.id).where(SubmissionAttachment.blob_sha256 == Blob.sha256).exists()
    noted = select(FreedFile.name).where(FreedFile.name == Blob.sha256).exists()
    found = set(session.scalars(select(Blob.sha256).where(Blob.created_at < before, ~attached, ~noted)))
    return sorted(found - _find_named(session, found))


def _find_named(session: Session, names: Collection[str]) -> set[str]:
    """Those of these files that somebody names. What was erased names nothing any more."""
    if not names:
        return set()
    asked = {"names": list(names)}
    queries = (_ATTACHED, _OTHERS_OF_LIVING, _AWAITED, _OF_FORMS, _UNREADABLE)
    return {str(one) for query in queries for one in session.scalars(query, asked)}
