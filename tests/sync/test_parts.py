"""Files that come in parts, late, twice, or before what they belong to."""

import pytest
from sqlalchemy.orm import Session

from sync.models import Submission
from sync.parts import expect_files, fit
from tests.sync.arrivals import a_file, files_of, receive, rows
from tests.sync.factory import NOW

pytestmark = pytest.mark.both_databases


def test_awaited_files_are_counted(session: Session) -> None:
    receipt = receive(session, "uuid:1", a_file("a.jpg"), expected=["a.jpg", "b.jpg"])
    assert receipt.missing_files == 1
    assert files_of(session, receipt.submission_id) == {"a.jpg": True, "b.jpg": False}


def test_second_part_adds_what_was_missing(session: Session) -> None:
    receive(session, "uuid:1", a_file("a.jpg"), expected=["a.jpg", "b.jpg"], incomplete=True)
    second = receive(session, "uuid:1", a_file("b.jpg", b"other"), expected=["a.jpg", "b.jpg"])
    assert (second.kind, second.missing_files) == ("repeat", 0)
    assert [event.kind for event in rows(session)[0].events] == ["received", "files_received"]


def test_last_file_completes_a_merged_record(session: Session) -> None:
    receipt = receive(session, "uuid:1", expected=["a.jpg"])
    row = session.get_one(Submission, receipt.submission_id)
    row.processed_at, row.state = NOW, "incomplete"
    session.flush()
    receive(session, "uuid:1", a_file("a.jpg"), expected=["a.jpg"])
    assert rows(session)[0].state == "merged"


def test_repeated_part_changes_nothing(session: Session) -> None:
    for _ in range(2):
        receipt = receive(session, "uuid:1", a_file("a.jpg"), expected=["a.jpg"])
    assert receipt.missing_files == 0
    assert [event.kind for event in rows(session)[0].events] == ["received"]


def test_name_keeps_its_first_file_and_the_other_can_be_found(session: Session) -> None:
    receive(session, "uuid:1", a_file("a.jpg", b"one"))
    other = a_file("a.jpg", b"two")
    receive(session, "uuid:1", other)
    (row,) = rows(session)
    assert row.attachments[0].blob_sha256 == a_file("a.jpg", b"one").stored.sha256
    assert [event.details["sha256"] for event in row.events if event.kind == "other_file"] == [other.stored.sha256]


def test_file_that_no_answer_names_is_kept(session: Session) -> None:
    receipt = receive(session, "uuid:1", a_file("extra.bin"))
    assert (receipt.missing_files, files_of(session, receipt.submission_id)) == (0, {"extra.bin": True})


def test_edit_takes_over_the_files_that_it_does_not_send_again(session: Session) -> None:
    receive(session, "uuid:1", a_file("a.jpg"), a_file("b.jpg", b"old"), expected=["a.jpg", "b.jpg"])
    new = a_file("b.jpg", b"new")
    edit = receive(session, "uuid:2", new, deprecated_id="uuid:1", expected=["a.jpg", "b.jpg"])
    held = {one.name: one.blob_sha256 for one in rows(session)[1].attachments}
    assert edit.missing_files == 0
    assert held == {"a.jpg": a_file("a.jpg").stored.sha256, "b.jpg": new.stored.sha256}


def test_a_late_file_of_an_edit_takes_the_place_of_its_originals(session: Session) -> None:
    """Also in the edits that have it from there, but in none that came with a file of its own."""
    names = {"expected": ["a.jpg"]}
    receive(session, "uuid:1", a_file("a.jpg", b"first"), **names)
    for edit in ("uuid:2", "uuid:3"):
        receive(session, edit, deprecated_id=f"uuid:{int(edit[-1]) - 1}", **names)
    receive(session, "uuid:4", a_file("a.jpg", b"fourth"), deprecated_id="uuid:3", **names)
    receive(session, "uuid:2", a_file("a.jpg", b"second"), deprecated_id="uuid:1", **names)
    held = [row.attachments[0].blob_sha256 for row in rows(session)]
    wanted = (b"first", b"second", b"second", b"fourth")
    assert held == [a_file("a.jpg", content).stored.sha256 for content in wanted]


def test_only_the_first_file_of_an_edit_takes_that_place(session: Session) -> None:
    receive(session, "uuid:1", a_file("a.jpg", b"first"), expected=["a.jpg"])
    for content in (b"second", b"second", b"third"):
        receive(session, "uuid:2", a_file("a.jpg", content), deprecated_id="uuid:1", expected=["a.jpg"])
    edit = rows(session)[1]
    assert edit.attachments[0].blob_sha256 == a_file("a.jpg", b"second").stored.sha256
    assert [event.kind for event in edit.events] == ["received", "other_file"]


def test_edits_that_came_first_get_the_files_of_their_original(session: Session) -> None:
    receive(session, "uuid:3", deprecated_id="uuid:2", expected=["a.jpg"])
    receive(session, "uuid:2", deprecated_id="uuid:1", expected=["a.jpg"])
    receive(session, "uuid:1", a_file("a.jpg"), expected=["a.jpg"])
    assert [row.missing_files for row in rows(session)] == [0, 0, 0]


def test_late_file_of_the_original_reaches_its_edit(session: Session) -> None:
    receive(session, "uuid:1", expected=["a.jpg"])
    receive(session, "uuid:2", deprecated_id="uuid:1", expected=["a.jpg"])
    receive(session, "uuid:1", a_file("a.jpg"), expected=["a.jpg"])
    assert [row.missing_files for row in rows(session)] == [0, 0]


def test_files_are_expected_once_the_form_is_known(session: Session) -> None:
    receive(session, "uuid:1", a_file("a.jpg"))
    edit = receive(session, "uuid:2", a_file("b.jpg"), deprecated_id="uuid:1")
    names = ["a.jpg", "b.jpg", "c.jpg"]
    assert expect_files(session, edit.submission_id, names, NOW) == 1
    assert files_of(session, edit.submission_id) == {"a.jpg": True, "b.jpg": True, "c.jpg": False}


def test_nothing_is_expected_of_a_record_without_files(session: Session) -> None:
    receipt = receive(session, "uuid:1")
    assert expect_files(session, receipt.submission_id, [], NOW) == 0


@pytest.mark.parametrize(
    "name", ["../x", "..\\x", "/etc/x", "a\0b", "é" * 5000], ids=["up", "back", "root", "nul", "long"]
)
def test_hostile_file_names_are_data(session: Session, name: str) -> None:
    receipt = receive(session, "uuid:1", a_file(name))
    assert files_of(session, receipt.submission_id) == {fit(name): True}
