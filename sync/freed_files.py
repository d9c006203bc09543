"""Files that nobody names any more: which they are, and that they are to leave the disk. Removing them is the server's.

A file is named by the submissions, forms and alerts that have it, and by a record that awaits it from a relay. Who lets
go of it notes it here. Its row goes at once, so that nobody finds it and no backup takes it along; the note stays until
the disk has let go, too, and who is cut off in between goes on from there.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, delete, func, literal_column, or_, select
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

# By no clock: one that went years ahead would keep for years what was erased meanwhile.
AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
# No database takes any number of parameters.
_TOGETHER = 500

# And by whatever clock something was noted.
EVER = datetime.max.replace(tzinfo=UTC)

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


def free_files(session: Session, names: Collection[str]) -> None:
    """Let go of files whose names somebody has given up: those that nobody else names are to leave the disk at once."""
    note_files(session.connection(), names)
    settle_files(session, names)


def note_files(connection: Connection, names: Collection[str], due_at: datetime = AT_ONCE) -> None:
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


def count_noted(session: Session) -> int:
    """How many files are to leave the disk, whenever that is."""
    return session.scalar(select(func.count()).select_from(FreedFile)) or 0


def list_due(session: Session, due_by: datetime) -> Sequence[str]:
    """The files that are to leave the disk by then."""
    has_row = select(Blob).where(Blob.sha256 == FreedFile.name).exists()
    return session.scalars(select(FreedFile.name).where(FreedFile.due_at <= due_by, ~has_row)).all()


def forget_files(session: Session, names: Collection[str]) -> None:
    """Forget the notes of files that have left the disk."""
    session.execute(delete(FreedFile).where(FreedFile.name.in_(names)))


def count_known(session: Session, names: Collection[str]) -> int:
    """How many of these files on disk have a row."""
    return len(session.scalars(_ROWS, {"names": list(names)}).all())


def find_strays(session: Session, names: Collection[str]) -> set[str]:
    """Those of these files on disk of which there is neither a row nor a note: their sender got no answer."""
    known = {*session.scalars(_ROWS, {"names": list(names)}), *session.scalars(_NOTES, {"names": list(names)})}
    return set(names) - known


def list_unnamed(session: Session, before: datetime, after: datetime) -> list[str]:
    """The files with a row from before or after then that nobody names, and that are not noted yet.

    What is from after is so by a clock that went wrong, and may be as old as anything.
    """
    attached = select(SubmissionAttachment.id).where(SubmissionAttachment.blob_sha256 == Blob.sha256).exists()
    noted = select(FreedFile.name).where(FreedFile.name == Blob.sha256).exists()
    old = or_(Blob.created_at < before, Blob.created_at > after)
    found = set(session.scalars(select(Blob.sha256).where(old, ~attached, ~noted)))
    return sorted(found - _find_named(session, found))


def _find_named(session: Session, names: Collection[str]) -> set[str]:
    """Those of these files that somebody names. What was erased names nothing any more."""
    queries = (_ATTACHED, _OTHERS_OF_LIVING, _AWAITED, _OF_FORMS, _UNREADABLE)
    asked = [{"names": some} for some in in_pieces(list(names))]
    return {str(one) for some in asked for query in queries for one in session.scalars(query, some)}


def in_pieces(names: Sequence[str]) -> list[Sequence[str]]:
    """As many at a time as are asked of the database, or written down, together."""
    return [names[at : at + _TOGETHER] for at in range(0, len(names), _TOGETHER)]
