"""What a record lacks is known until it has it or is erased."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.attachments import add_blob
from sync.awaited_files import await_files, is_awaited, stop_awaiting
from sync.freed_files import free_files, list_unnamed
from sync.models import Blob, FilePiece
from tests.sync.arrivals import a_file
from tests.sync.factory import NOW, add_submission
from tests.sync.test_freed_files import erase

ONE, OTHER = "1" * 64, "2" * 64


@pytest.mark.both_databases
def test_a_record_lacks_what_was_told_last(session: Session) -> None:
    row = add_submission(session, "uuid:1")
    for files in ([ONE], [ONE, OTHER], [OTHER]):
        await_files(session, row.id, files)
    assert (is_awaited(session, ONE), is_awaited(session, OTHER)) == (False, True)
    await_files(session, row.id, [])
    assert not is_awaited(session, OTHER)


def test_pieces_of_what_another_record_lacks_too_stay(session: Session) -> None:
    first, second = (add_submission(session, name) for name in ("uuid:1", "uuid:2"))
    await_files(session, first.id, [ONE, OTHER])
    await_files(session, second.id, [ONE])
    session.add_all(FilePiece(sha256=one, start=0, content=b"x", kept_at=NOW) for one in (ONE, OTHER))
    session.flush()
    assert stop_awaiting(session, first.id) == {ONE, OTHER}
    assert session.scalars(select(FilePiece.sha256)).all() == [ONE]
    assert is_awaited(session, ONE)


def test_a_whole_file_that_a_record_awaits_is_named(session: Session) -> None:
    stored = a_file("p.jpg").stored
    add_blob(session.connection(), stored, NOW)
    await_files(session, add_submission(session, "uuid:1").id, [stored.sha256])
    free_files(session, [stored.sha256])
    assert session.scalars(select(Blob.sha256)).all() == [stored.sha256]
    assert list_unnamed(session, NOW + timedelta(days=400), NOW + timedelta(days=500)) == []


@pytest.mark.both_databases
def test_a_record_that_was_erased_lacks_nothing_whatever_an_exchange_noted_meanwhile(session: Session) -> None:
    stored = a_file("p.jpg").stored
    row = add_submission(session, "uuid:1")
    erase(session, row.id)
    await_files(session, row.id, [stored.sha256])
    assert not is_awaited(session, stored.sha256)
    add_blob(session.connection(), stored, NOW)
    free_files(session, [stored.sha256])
    assert session.scalars(select(Blob.sha256)).all() == []
