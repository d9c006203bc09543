"""Who names a file, and how what nobody names is let go of: its row at once, its note once it has left the disk."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from sync.attachments import add_blob
from sync.devices import raise_alert
from sync.erasure import ErasureFact, receive_erasure
from sync.freed_files import (
    find_strays,
    forget_files,
    free_files,
    list_due,
    list_files_of,
    list_unnamed,
    list_unsettled,
    note_files,
    settle_files,
)
from sync.models import Blob, FreedFile, Submission
from sync.publishing import publish_form
from tests.sync.arrivals import a_file, files_of, receive
from tests.sync.factory import NOW, form_file

pytestmark = pytest.mark.both_databases(postgresql="slow")

DAY = timedelta(days=1)
LATER = NOW + 1000 * DAY
PHOTO = a_file("p.jpg")
SHA256 = PHOTO.stored.sha256
NOTHING = {"persons": [], "encounters": [], "entities": [], "findings": [], "started_at": None, "ended_at": None}


def erase(session: Session, submission_id: int) -> None:
    """Erase a record as another server tells of it, of which nothing is retained."""
    row = session.get_one(Submission, submission_id)
    receive_erasure(session, row, ErasureFact(NOTHING, "durée de conservation", NOW), NOW)


def rows(session: Session) -> set[str]:
    return set(session.scalars(select(Blob.sha256)))


def test_the_files_of_an_erased_record_are_let_go_of(session: Session) -> None:
    other = a_file("p.jpg", b"second under the same name")
    receipt = receive(session, "uuid:1", PHOTO, expected=["p.jpg"])
    receive(session, "uuid:1", other, expected=["p.jpg"])
    assert list_files_of(session, receipt.submission_id) == {SHA256, other.stored.sha256}
    erase(session, receipt.submission_id)
    assert rows(session) == set()
    assert set(list_due(session, NOW)) == {SHA256, other.stored.sha256}
    forget_files(session, [SHA256, other.stored.sha256])
    assert list_due(session, NOW + DAY) == []


def test_a_clock_that_went_ahead_keeps_nothing_that_was_erased_meanwhile(session: Session) -> None:
    receipt = receive(session, "uuid:1", PHOTO, expected=["p.jpg"])
    row = session.get_one(Submission, receipt.submission_id)
    receive_erasure(session, row, ErasureFact(NOTHING, "durée de conservation", LATER), LATER)
    assert list_due(session, NOW) == [SHA256]
    forget_files(session, [SHA256])
    receive(session, "uuid:1", PHOTO, expected=["p.jpg"], later=1000 * 86400)
    assert list_due(session, NOW) == [SHA256]


def test_a_file_that_another_record_has_too_stays(session: Session) -> None:
    first = receive(session, "uuid:1", PHOTO, expected=["p.jpg"])
    second = receive(session, "uuid:2", a_file("q.jpg"), expected=["q.jpg"])
    erase(session, first.submission_id)
    assert (rows(session), session.scalars(select(FreedFile)).all()) == ({SHA256}, [])
    assert files_of(session, second.submission_id) == {"q.jpg": True}
    erase(session, second.submission_id)
    assert (rows(session), list(list_due(session, NOW))) == (set(), [SHA256])


def test_the_second_file_of_a_name_is_named_until_its_record_is_erased(session: Session) -> None:
    first = receive(session, "uuid:1", PHOTO, expected=["p.jpg"])
    second = receive(session, "uuid:2", a_file("q.jpg", b"other"), expected=["q.jpg"])
    receive(session, "uuid:2", a_file("q.jpg"), expected=["q.jpg"])
    erase(session, first.submission_id)
    assert SHA256 in rows(session)
    erase(session, second.submission_id)
    assert rows(session) == set()


def test_files_of_forms_and_records_that_nobody_could_read_are_named(session: Session) -> None:
    add_blob(session.connection(), PHOTO.stored, NOW)
    unreadable = a_file("", b"<data")
    add_blob(session.connection(), unreadable.stored, NOW)
    publish_form(session, form_file(), {"villages.csv": SHA256}, None, NOW)
    raise_alert(session, "unreadable_record", NOW, None, None, sha256=unreadable.stored.sha256, size=5)
    free_files(session, [SHA256, unreadable.stored.sha256])
    assert rows(session) == {SHA256, unreadable.stored.sha256}
    assert list_unnamed(session, NOW + DAY, LATER) == list_unsettled(session) == []


def test_what_is_sent_again_of_an_erased_record_is_not_kept(session: Session) -> None:
    receipt = receive(session, "uuid:1", PHOTO, expected=["p.jpg"])
    erase(session, receipt.submission_id)
    forget_files(session, [SHA256])
    again = receive(session, "uuid:1", PHOTO, expected=["p.jpg"])
    assert (again.kind, again.submission_id) == ("repeat", receipt.submission_id)
    assert files_of(session, receipt.submission_id) == {}
    assert (rows(session), list(list_due(session, NOW))) == (set(), [SHA256])


def test_a_file_that_is_noted_and_comes_again_is_kept(session: Session) -> None:
    erase(session, receive(session, "uuid:1", PHOTO, expected=["p.jpg"]).submission_id)
    receive(session, "uuid:2", PHOTO, expected=["p.jpg"])
    assert (list(list_due(session, NOW)), list(list_unsettled(session))) == ([], [SHA256])
    settle_files(session, [SHA256])
    assert (rows(session), session.scalars(select(FreedFile)).all()) == ({SHA256}, [])


def test_a_file_with_a_row_that_nobody_ever_named_is_found_in_time(session: Session) -> None:
    add_blob(session.connection(), PHOTO.stored, NOW)
    assert list_unnamed(session, NOW, LATER) == []
    assert list_unnamed(session, NOW + DAY, LATER) == [SHA256]
    note_files(session.connection(), [SHA256], NOW)
    assert list_unnamed(session, NOW + DAY, LATER) == []


def test_a_file_with_a_row_from_after_today_is_as_old_as_anything(session: Session) -> None:
    """The clock went years ahead, and has come back."""
    add_blob(session.connection(), PHOTO.stored, LATER + DAY)
    assert list_unnamed(session, NOW, LATER + DAY) == []
    assert list_unnamed(session, NOW, LATER) == [SHA256]


@pytest.mark.slow
def test_any_number_of_files_is_asked_for(session: Session) -> None:
    """More than any database takes in one question."""
    numbers = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n <= 250000)"
    made = f"SELECT substr('{'0' * 64}', length(n || '') + 1) || n, '', 1, '{NOW:%Y-%m-%d %H:%M:%S}' FROM numbers"
    session.execute(text(f"INSERT INTO blobs (sha256, md5, size, created_at) {numbers} {made}"))
    assert len(list_unnamed(session, NOW + DAY, LATER)) == 250_001


def test_a_stray_has_neither_row_nor_note(session: Session) -> None:
    add_blob(session.connection(), PHOTO.stored, NOW)
    note_files(session.connection(), ["ab.half"], NOW + DAY)
    assert find_strays(session, [SHA256, "ab.half", "cd"]) == {"cd"}
    assert (list(list_due(session, NOW)), list(list_due(session, NOW + DAY))) == ([], ["ab.half"])


def test_of_two_times_the_earlier_holds(session: Session) -> None:
    for due_at in (NOW + DAY, NOW, NOW + 2 * DAY):
        note_files(session.connection(), ["ab.half"], due_at)
    assert [one.due_at for one in session.scalars(select(FreedFile))] == [NOW]
