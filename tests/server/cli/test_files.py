"""`teral files`: an administrator shows that what was erased is gone."""

import json
from datetime import UTC, datetime, timedelta

from flask import Flask

from server.file_removal import note_unneeded
from server.own_store import claim_store
from tests.server.cli.conftest import Run
from tests.server.test_file_removal import disk, erase_record, keep, let_days_pass, send


def test_what_was_erased_is_gone_and_the_command_shows_it(app: Flask, run: Run) -> None:
    erase_record(send("uuid:1", keep()))
    send("uuid:2", keep(b"another"))
    keep(b"cut off")
    let_days_pass()
    assert json.loads(run("files", "tidy", "--dry-run", "--claim", "--json").output) == {"due": 1}
    assert len(disk()) == 3
    told = json.loads(run("files", "tidy", "--json").output)
    assert told == {"files": 1, "bytes": 22, "waiting": 0, "failed": 0, "later": 1}
    assert "gone: 1" in run("files", "tidy", "--at-once").output
    assert [path.read_bytes() for path in disk().values()] == [b"another"]


def test_nothing_that_is_to_go_is_passed_over_whenever_it_is_due(app: Flask, run: Run) -> None:
    """The clock was years ahead when it was found."""
    keep(b"cut off")
    let_days_pass()
    claim_store(datetime.now(UTC))
    note_unneeded(datetime.now(UTC) + timedelta(days=3650))
    assert json.loads(run("files", "tidy", "--json").output)["later"] == 1
    assert json.loads(run("files", "tidy", "--at-once", "--dry-run", "--json").output) == {"due": 1}
    told = json.loads(run("files", "tidy", "--at-once", "--json").output)
    assert (told["files"], told["later"], disk()) == (1, 0, {})


def test_what_the_disk_does_not_let_go_of_fails_the_command(app: Flask, run: Run) -> None:
    stored = keep().stored
    erase_record(send("uuid:1", keep()))
    let_days_pass()
    # A folder where the file should be: the one fault that root meets as well.
    path = disk()[stored.sha256]
    path.unlink()
    path.mkdir()
    let_days_pass()
    result = run("files", "tidy")
    assert (result.exit_code, "to go, but the disk does not let go: 1" in result.output) == (1, True)
    assert "Traceback" not in result.output
