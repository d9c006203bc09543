"""A file in pieces: from where it stopped, once, and whole or not at all."""

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sync.attachments import AttachmentStore
from sync.awaited_files import await_files
from sync.freed_files import list_due
from sync.models import Blob, FilePiece
from sync.relaying.lines import RelayRefused
from sync.relaying.pieces import add_piece, count_held, forget_pieces
from tests.sync.factory import NOW, add_submission
from tests.sync.test_freed_files import erase

CONTENT = bytes(range(256)) * 4
SHA256, EMPTY, OTHER = (hashlib.sha256(one).hexdigest() for one in (CONTENT, b"", b"another"))


@pytest.fixture
def store(tmp_path: object) -> AttachmentStore:
    return AttachmentStore(f"{tmp_path}/files")


@pytest.fixture(autouse=True)
def awaiting(session: Session) -> int:
    """A record that lacks these files."""
    row = add_submission(session, "uuid:1")
    await_files(session, row.id, [SHA256, EMPTY, OTHER])
    return row.id


@pytest.mark.both_databases
def test_pieces_make_a_file_whatever_is_sent_twice(session: Session, store: AttachmentStore) -> None:
    for start in (0, 0, 300, 600, 300, 900):
        held = add_piece(session, store, SHA256, start, CONTENT[start : start + 300], len(CONTENT), NOW)
    assert held == len(CONTENT)
    assert store.read(SHA256) == CONTENT
    assert session.get_one(Blob, SHA256).size == len(CONTENT)
    assert session.scalar(select(func.count()).select_from(FilePiece)) == 0
    assert add_piece(session, store, SHA256, 0, CONTENT[:300], len(CONTENT), NOW) == len(CONTENT)


def test_an_empty_file_is_a_file(session: Session, store: AttachmentStore) -> None:
    assert add_piece(session, store, EMPTY, 0, b"", 0, NOW) == 0
    assert store.read(EMPTY) == b""


@pytest.mark.parametrize(("start", "length"), [(310, 300), (300, 725)], ids=["a gap", "too much"])
def test_a_piece_that_does_not_fit_is_refused(
    session: Session, store: AttachmentStore, start: int, length: int
) -> None:
    add_piece(session, store, SHA256, 0, CONTENT[:300], len(CONTENT), NOW)
    with pytest.raises(RelayRefused, match="does not continue"):
        add_piece(session, store, SHA256, start, b"x" * length, len(CONTENT), NOW)
    assert count_held(session, SHA256) == 300


def test_pieces_that_never_become_a_file_are_let_go(session: Session, store: AttachmentStore) -> None:
    """Of a file that goes on coming nothing is, however long ago it began."""
    later = NOW + timedelta(days=50)
    add_piece(session, store, OTHER, 0, b"an", 7, NOW)
    for start, now in ((0, NOW), (300, later)):
        add_piece(session, store, SHA256, start, CONTENT[start : start + 300], len(CONTENT), now)
    assert forget_pieces(session, NOW + timedelta(days=1), later) == 1
    assert (count_held(session, OTHER), count_held(session, SHA256)) == (0, 600)


def test_pieces_from_after_today_are_let_go(session: Session, store: AttachmentStore) -> None:
    """They came while the clock was years ahead: by it the file would go on coming for years."""
    add_piece(session, store, OTHER, 0, b"an", 7, NOW + timedelta(days=2000))
    assert forget_pieces(session, NOW, NOW + timedelta(days=1)) == 1


def test_other_content_than_was_told_is_not_kept(session: Session, store: AttachmentStore) -> None:
    other = bytes(len(CONTENT))
    assert add_piece(session, store, SHA256, 0, other, len(CONTENT), NOW) == 0
    assert (session.get(Blob, SHA256), count_held(session, SHA256)) == (None, 0)


def test_of_a_record_that_was_erased_no_piece_is_kept(session: Session, store: AttachmentStore, awaiting: int) -> None:
    """Neither those that came before, nor the whole that nobody named yet, nor those that are on their way."""
    for start in (0, 300):
        add_piece(session, store, SHA256, start, CONTENT[start : start + 300], len(CONTENT), NOW)
    add_piece(session, store, OTHER, 0, b"another", 7, NOW)
    erase(session, awaiting)
    assert (count_held(session, SHA256), session.scalars(select(Blob)).all()) == (0, [])
    assert OTHER in list_due(session, NOW)
    for start in (0, 600):
        with pytest.raises(RelayRefused, match="No record awaits"):
            add_piece(session, store, SHA256, start, CONTENT[start : start + 300], len(CONTENT), NOW)
