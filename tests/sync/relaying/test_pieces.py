"""A file in pieces: from where it stopped, once, and whole or not at all."""

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sync.attachments import AttachmentStore
from sync.models import Blob, FilePiece
from sync.relaying.lines import RelayRefused
from sync.relaying.pieces import add_piece, count_held, forget_pieces
from tests.sync.factory import NOW

CONTENT = bytes(range(256)) * 4
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def store(tmp_path: object) -> AttachmentStore:
    return AttachmentStore(f"{tmp_path}/files")


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
    empty = hashlib.sha256(b"").hexdigest()
    assert add_piece(session, store, empty, 0, b"", 0, NOW) == 0
    assert store.read(empty) == b""


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
    later, other = NOW + timedelta(days=50), hashlib.sha256(b"another").hexdigest()
    add_piece(session, store, other, 0, b"an", 7, NOW)
    for start, now in ((0, NOW), (300, later)):
        add_piece(session, store, SHA256, start, CONTENT[start : start + 300], len(CONTENT), now)
    assert forget_pieces(session, NOW + timedelta(days=1)) == 1
    assert (count_held(session, other), count_held(session, SHA256)) == (0, 600)


def test_other_content_than_was_told_is_not_kept(session: Session, store: AttachmentStore) -> None:
    other = bytes(len(CONTENT))
    assert add_piece(session, store, SHA256, 0, other, len(CONTENT), NOW) == 0
    assert (session.get(Blob, SHA256), count_held(session, SHA256)) == (None, 0)
