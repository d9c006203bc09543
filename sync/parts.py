"""The files of submissions: parts that come one by one, late, twice or before what they belong to.

The bytes are in the store (attachments.py) before anything here runs; here are only the rows that name them.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from sync.attachments import StoredFile, add_blob
from sync.models import Submission, SubmissionAttachment, SubmissionEvent
from sync.releasing import release_submission
from sync.states import FILES_AWAITED, refresh_state

_TEXT = 255  # the width of our text columns


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """A part that is safe in the store. `name` is what the tablet calls it: data, never a path."""

    name: str
    content_type: str | None
    stored: StoredFile


def fit(text: str) -> str:
    """Fit a name of any length and content into a text column, so that different names stay different.

    PostgreSQL keeps no NUL, and no real name is longer than the column: this is for hostile ones.
    """
    clean = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    if len(clean) <= _TEXT:
        return clean
    mark = f"…sha256:{hashlib.sha256(clean.encode('utf-8', 'surrogatepass')).hexdigest()}"
    return clean[: _TEXT - len(mark)] + mark


# Not "id": in an UPDATE that name belongs to the table's own column.
_mine = (SubmissionAttachment.submission_id == bindparam("owner")) & (SubmissionAttachment.name == bindparam("file"))
_FILL = (
    update(SubmissionAttachment)
    .where(_mine, SubmissionAttachment.blob_sha256.is_(None))
    .values(blob_sha256=bindparam("sha256"), content_type=bindparam("type"), received_at=bindparam("at"))
)
_SUPPLANT = (
    update(SubmissionAttachment)
    .where(_mine, SubmissionAttachment.blob_sha256 == bindparam("carried"))
    .values(blob_sha256=bindparam("sha256"), content_type=bindparam("type"), received_at=bindparam("at"))
)
_HELD_AS = select(SubmissionAttachment.blob_sha256).where(_mine)
_HELD = select(SubmissionAttachment).where(
    SubmissionAttachment.submission_id == bindparam("id"),
    SubmissionAttachment.blob_sha256.is_not(None),
    # Each encrypted record has a key of its own, and the same file names as every other.
    SubmissionAttachment.name.not_like("%.enc"),
)
_MISSING = select(func.count()).where(
    SubmissionAttachment.submission_id == bindparam("id"),
    SubmissionAttachment.expected,
    SubmissionAttachment.blob_sha256.is_(None),
)
_WAITING_EDITS = select(Submission.id, Submission.instance_id, Submission.missing_files).where(
    Submission.form_id == bindparam("form_id"),
    Submission.deprecated_id == bindparam("instance_id"),
    Submission.is_draft == bindparam("is_draft"),
    Submission.twin_of_id.is_(None),
)
_INSERT = {
    "sqlite": insert_sqlite(SubmissionAttachment).on_conflict_do_nothing(),
    "postgresql": insert_postgresql(SubmissionAttachment).on_conflict_do_nothing(),
}


def count_awaited(expected: Iterable[str], files: Iterable[IncomingFile]) -> int:
    """Tell how many of the files that a new record names have not come with it."""
    return len({fit(name) for name in expected} - {fit(one.name) for one in files})


def add_first_files(
    connection: Connection, submission_id: int, expected: Iterable[str], files: Sequence[IncomingFile], now: datetime
) -> None:
    """Note the awaited names of a new record, and the files that came with it: nobody else knows its row yet."""
    rows = {fit(name): _row(submission_id, fit(name), expected=True) for name in expected}
    for one in files:
        add_blob(connection, one.stored, now)
        row = rows.setdefault(fit(one.name), _row(submission_id, fit(one.name), expected=False))
        if row["blob_sha256"] is None:
            row.update(blob_sha256=one.stored.sha256, content_type=_type_of(one), received_at=now)
        elif row["blob_sha256"] != one.stored.sha256:
            _add_other_file(connection, submission_id, one.stored.sha256, now)
    if rows:
        connection.execute(_INSERT[connection.dialect.name], list(rows.values()))


def add_more_files(
    connection: Connection, submission_id: int, expected: Iterable[str], files: Sequence[IncomingFile], now: datetime
) -> int:
    """Add the files that came later; return how many were new.

    A name keeps its first file, but for an edit's that was only carried forward: it gives way to the edit's own.
    """
    rows = {fit(name): _row(submission_id, fit(name), expected=True) for name in expected}
    for one in files:
        add_blob(connection, one.stored, now)
        rows.setdefault(fit(one.name), _row(submission_id, fit(one.name), expected=False))
    if rows:
        connection.execute(_INSERT[connection.dialect.name], list(rows.values()))
    return sum(_fill(connection, submission_id, one, now) for one in files)


def expect_files(session: Session, submission_id: int, names: Sequence[str], now: datetime) -> int:
    """Note which files the answers name once the form is known; return how many are still missing.

    For records whose form version was published after they came. An edit takes over what its original has.
    """
    if not names:
        return 0
    connection = session.connection()
    connection.execute(_INSERT[connection.dialect.name], [_row(submission_id, fit(n), expected=True) for n in names])
    mine = (SubmissionAttachment.submission_id == submission_id) & SubmissionAttachment.name.in_(
        [fit(n) for n in names]
    )
    connection.execute(update(SubmissionAttachment).where(mine).values(expected=True))
    original = connection.execute(_original_of(submission_id)).scalar()
    if original is not None:
        carry_forward(connection, original, submission_id, now)
    return count_missing(session, submission_id, now)


def carry_forward(connection: Connection, from_id: int, to_id: int, now: datetime) -> int:
    """Give an edit the files of its original by name, and return how many: Collect sends only what it changed."""
    held = connection.execute(_HELD, {"id": from_id}).all()
    return sum(_hand_on(connection, to_id, row, now) for row in held)


def find_carried(connection: Connection, submission_id: int) -> dict[str, str]:
    """The files that an edit has from its original alone, as far as anybody can tell: by name, their SHA-256."""
    original = connection.execute(_original_of(submission_id)).scalar()
    mine, theirs = (_list_held(connection, one) for one in (submission_id, original))
    return dict(mine.items() & theirs.items())


def serve_waiting_edits(session: Session, submission_id: int, record: Mapping[str, Any], now: datetime) -> None:
    """Hand files on to edits that came before them: out of order is normal after days offline."""
    connection = session.connection()
    for edit in connection.execute(_WAITING_EDITS, record).all():
        if edit.missing_files and carry_forward(connection, submission_id, edit.id, now):
            count_missing(session, edit.id, now)
            serve_waiting_edits(session, edit.id, {**record, "instance_id": edit.instance_id}, now)


def count_missing(session: Session, submission_id: int, now: datetime) -> int:
    """Bring the number of missing files, and the state that follows from it, up to date; return the number.

    With its last file an encrypted submission can be judged at last.
    """
    missing = session.connection().execute(_MISSING, {"id": submission_id}).scalar_one()
    submission = session.get_one(Submission, submission_id, populate_existing=True)
    if submission.missing_files != missing:
        submission.missing_files = missing
        refresh_state(submission)
        if missing == 0 and submission.reason == FILES_AWAITED:
            release_submission(session, submission, "files_came", None, now)
        session.flush()
    return missing


def _row(submission_id: int, name: str, *, expected: bool) -> dict[str, Any]:
    empty = {"blob_sha256": None, "content_type": None, "received_at": None}
    return {"submission_id": submission_id, "name": name, "expected": expected, **empty}


def _type_of(file: IncomingFile) -> str | None:
    return fit(file.content_type) if file.content_type else None


def _fill(connection: Connection, submission_id: int, file: IncomingFile, now: datetime) -> int:
    mine = {"owner": submission_id, "file": fit(file.name)}
    filled = {"sha256": file.stored.sha256, "type": _type_of(file), "at": now}
    if connection.execute(_FILL, {**mine, **filled}).rowcount:
        return 1
    held = connection.execute(_HELD_AS, mine).scalar_one()
    if held == file.stored.sha256:
        return 0
    if mine["file"] in find_carried(connection, submission_id):
        _supplant(connection, submission_id, {**mine, **filled, "carried": held})
        return 1
    # The first file stays, as the first XML does; the other bytes are in the store and can be found from here.
    _add_other_file(connection, submission_id, file.stored.sha256, now)
    return 0


def _supplant(connection: Connection, submission_id: int, file: dict[str, Any]) -> None:
    """Put an edit's own file where its original's was, and so in the edits that have it from there."""
    if connection.execute(_SUPPLANT, {**file, "owner": submission_id}).rowcount:
        for edit in connection.execute(_edits_of(submission_id)):
            _supplant(connection, edit.id, file)


def _add_other_file(connection: Connection, submission_id: int, sha256: str, now: datetime) -> None:
    event = SubmissionEvent.__table__.insert()  # type: ignore[attr-defined]
    row = {"submission_id": submission_id, "at": now, "kind": "other_file", "details": {"sha256": sha256}}
    connection.execute(event, row)


def _hand_on(connection: Connection, to_id: int, held: Row[*tuple[Any, ...]], now: datetime) -> int:
    filled = {"sha256": held.blob_sha256, "type": held.content_type, "at": now}
    return connection.execute(_FILL, {"owner": to_id, "file": held.name, **filled}).rowcount


def _list_held(connection: Connection, submission_id: int | None) -> dict[str, str]:
    return {row.name: row.blob_sha256 for row in connection.execute(_HELD, {"id": submission_id})}


def _edits_of(submission_id: int) -> Any:
    original = select(Submission).where(Submission.id == submission_id).subquery()
    return select(Submission.id).where(
        Submission.form_id == original.c.form_id,
        Submission.deprecated_id == original.c.instance_id,
        Submission.is_draft == original.c.is_draft,
        Submission.twin_of_id.is_(None),
    )


def _original_of(submission_id: int) -> Any:
    edit = select(Submission).where(Submission.id == submission_id).subquery()
    return select(Submission.id).where(
        Submission.form_id == edit.c.form_id,
        Submission.instance_id == edit.c.deprecated_id,
        Submission.is_draft == edit.c.is_draft,
        Submission.twin_of_id.is_(None),
    )
