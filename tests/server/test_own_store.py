"""Two servers over one store of files: neither takes the other's for its own strays."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete
from sqlalchemy.orm import Session

from server.extensions import attachment_store, db
from server.file_removal import KEEP_STRAYS, Removal, note_unneeded, remove_files
from server.own_store import claim_store, is_own_store
from sync.models import Setting
from tests.server.test_file_removal import disk, erase_record, keep, let_days_pass, send

NOW = datetime.now(UTC)


def run(now: datetime = NOW) -> tuple[int, Removal]:
    return note_unneeded(now), remove_files(now + KEEP_STRAYS)


@pytest.fixture
def own(app: Flask) -> int:
    """A record of this server, whose store holds its file alone; its number."""
    record = send("uuid:1", keep())
    let_days_pass()
    assert (run(), is_own_store()) == ((0, Removal()), True)
    return record


@pytest.mark.both_databases
def test_files_of_another_server_are_no_strays(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    """Both began before stores were marked."""
    erased = send("uuid:1", keep())
    send("uuid:2", keep(b"of this server"))
    for number in range(3):
        keep(b"of the other server %d" % number)
    let_days_pass()
    erase_record(erased)
    noted, removed = run()
    assert (noted, removed.files, len(disk()), attachment_store().read_mark()) == (0, 1, 4, None)
    (told,) = [one.getMessage() for one in caplog.records if one.name == "server.own_store"]
    assert "another server's" in told
    assert "files tidy --claim" in told
    claim_store(NOW)
    assert run()[0] == 3
    assert [path.read_bytes() for path in disk().values()] == [b"of this server"]


def test_a_store_that_another_server_has_marked_keeps_its_strays(own: int, caplog: pytest.LogCaptureFixture) -> None:
    """Also those that were noted before; what was erased goes."""
    keep(b"cut off")
    let_days_pass()
    assert note_unneeded(NOW) == 1
    attachment_store().write_mark("of another")
    erase_record(own)
    noted, removed = run()
    assert (noted, removed.files, [path.read_bytes() for path in disk().values()]) == (0, 1, [b"cut off"])
    assert (attachment_store().read_mark(), caplog.text.count("another server's")) == ("of another", 1)


def test_a_store_without_a_mark_takes_the_databases(own: int) -> None:
    """As after a restore into a new folder."""
    mark = attachment_store().read_mark()
    mark_file().unlink()
    assert not is_own_store()
    assert (run(), is_own_store(), attachment_store().read_mark()) == ((0, Removal()), True, mark)


def test_a_database_without_a_mark_takes_over_no_stores(own: int, caplog: pytest.LogCaptureFixture) -> None:
    """Two servers that began on the same day have the same forms, and nothing else yet."""
    mark = attachment_store().read_mark()
    with Session(db.engine) as session:
        session.execute(delete(Setting))
        session.commit()
    assert (run(), is_own_store(), attachment_store().read_mark()) == ((0, Removal()), False, mark)
    assert "files tidy --claim" in caplog.text
    claim_store(NOW)
    assert is_own_store()
    assert attachment_store().read_mark() != mark


def test_an_empty_store_is_not_marked(app: Flask) -> None:
    """It may be the folder over which a disk is not mounted yet."""
    assert (run(), attachment_store().read_mark()) == ((0, Removal()), None)


def test_a_mark_that_cannot_be_read_keeps_nothing_that_was_erased(own: int, caplog: pytest.LogCaptureFixture) -> None:
    mark_file().unlink()
    mark_file().mkdir()
    erase_record(own)
    assert (remove_files(NOW + KEEP_STRAYS).files, disk()) == (1, {})
    assert "the mark of the store of files cannot be read: Is a directory" in caplog.text


def mark_file() -> Path:
    return Path(attachment_store()._root) / ".store"
