"""What is erased leaves the disk, and nothing else does: whoever comes in between, and wherever it breaks."""

import json
import os
import shutil
import tarfile
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from server import file_removal
from server.backup import write_backup
from server.extensions import attachment_store, db
from server.file_removal import KEEP_STRAYS, KEEP_UNNAMED, Removal, find_unneeded, note_unneeded, remove_files
from server.jobs import run_once
from server.own_store import claim_store
from server.transactions import Transactions
from server.web.labels import LABELS
from sync.attachments import AttachmentStore, StoredFile, add_blob
from sync.models import AuditEvent, FreedFile, JobRun, Submission
from sync.parts import IncomingFile
from tests.sync.arrivals import receive
from tests.sync.test_freed_files import erase

PHOTO = b"a photograph of nobody"
DAYS = timedelta(days=1)
_ours = Transactions()


def keep(content: bytes = PHOTO, name: str = "p.jpg") -> IncomingFile:
    return IncomingFile(name, "image/jpeg", attachment_store().save(content))


def send(instance_id: str, *files: IncomingFile, deprecated_id: str | None = None) -> int:
    """A record with its files, as a tablet sends it."""

    def take(session: Session) -> int:
        names = [one.name for one in files]
        return receive(session, instance_id, *files, expected=names, deprecated_id=deprecated_id).submission_id

    return _ours.write(take)


def erase_record(submission_id: int) -> None:
    _ours.write(partial(erase, submission_id=submission_id))


def disk() -> dict[str, Path]:
    """Every file that the store has, by its name."""
    root = Path(attachment_store()._root)
    return {one.parent.name + one.name: one for one in root.glob("??/*")}


def let_days_pass(days: float = 2) -> None:
    for one in disk().values():
        moment = one.stat().st_mtime - days * 86400
        os.utime(one, (moment, moment))


def remove() -> Removal:
    return remove_files(datetime.now(UTC))


@pytest.mark.both_databases(postgresql="slow")
def test_the_files_of_an_erased_record_leave_the_disk_with_the_next_run(app: Flask, session: Session) -> None:
    record = send("uuid:1", keep(), keep(b"event,user\n", "audit.csv"))
    send("uuid:2", keep(b"another"))
    let_days_pass()
    assert remove() == Removal()
    erase_record(record)
    told = run_once(app)["remove_files"]
    assert told == {"files": 2, "bytes": len(PHOTO) + 11}
    assert told.keys() <= LABELS["detail"].keys()
    assert [path.read_bytes() for path in disk().values()] == [b"another"]
    (event,) = session.scalars(select(AuditEvent).where(AuditEvent.action == "files.removed"))
    assert (event.target, event.details) == ("files", told)


def test_a_file_that_was_sent_today_goes_when_a_day_has_passed(app: Flask) -> None:
    erase_record(send("uuid:1", keep()))
    assert remove() == Removal(waiting=1)
    let_days_pass()
    assert (remove().files, disk()) == (1, {})


def test_what_another_record_has_too_stays_whole(app: Flask) -> None:
    first, second = (send(name, keep()) for name in ("uuid:1", "uuid:2"))
    let_days_pass()
    erase_record(first)
    assert (remove(), attachment_store().read(keep().stored.sha256)) == (Removal(), PHOTO)
    erase_record(second)
    let_days_pass()
    assert (remove().files, disk()) == (1, {})


@pytest.mark.both_databases(postgresql="slow")
def test_who_is_cut_off_anywhere_goes_on(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the disk lets go, and after it did and before that is noted."""
    erase_record(send("uuid:1", keep()))
    let_days_pass()
    for broken in ("_remove_some", "_note_gone"):
        monkeypatch.setattr(file_removal, broken, cut_off)
        with pytest.raises(KeyboardInterrupt):
            remove()
        monkeypatch.undo()
    assert (remove().files, disk()) == (1, {})
    assert remove() == Removal()


def cut_off(*_arguments: object, **_named: object) -> None:
    raise KeyboardInterrupt


def test_what_the_disk_does_not_let_go_of_is_told_and_tried_again(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = keep(), keep(b"another", "q.jpg")
    erase_record(send("uuid:1", one, other))
    let_days_pass()
    unlink = Path.unlink

    def refuse(path: Path, **options: bool) -> None:
        if path.name == one.stored.sha256[2:]:
            raise PermissionError(13, "Permission denied")
        unlink(path, **options)

    monkeypatch.setattr(Path, "unlink", refuse)
    assert run_once(app)["remove_files"] == {"error": "FilesLeft"}
    assert list(disk()) == [one.stored.sha256]
    assert session.scalars(select(JobRun.outcome).where(JobRun.job == "remove_files")).all() == ["failed"]
    assert [record.getMessage() for record in caplog.records if record.name == "server.file_removal"] == [
        f"a file in folder {one.stored.sha256[:2]} cannot be removed: Permission denied"
    ]
    monkeypatch.undo()
    assert (remove().files, disk()) == (1, {})


def test_while_the_disk_is_not_mounted_nothing_counts_as_gone(app: Flask) -> None:
    erase_record(send("uuid:1", keep()))
    let_days_pass()
    root = Path(attachment_store()._root)
    disk_itself = root.rename(root.with_name("disk"))
    root.mkdir()
    assert remove() == Removal(failed=1)
    shutil.rmtree(root)
    disk_itself.rename(root)
    assert (remove().files, disk()) == (1, {})


@pytest.mark.both_databases(postgresql="slow")
def test_what_is_sent_again_while_it_leaves_the_disk_goes_another_time(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever holds the erased record still sends its photograph in the moment before it is noted as gone."""
    erase_record(send("uuid:1", keep()))
    let_days_pass()
    real = AttachmentStore.remove

    def remove_and_be_sent(store: AttachmentStore, name: str, since: datetime) -> int | None:
        gone = real(store, name, since)
        send("uuid:1", keep())
        return gone

    monkeypatch.setattr(AttachmentStore, "remove", remove_and_be_sent)
    assert remove().files == 1
    monkeypatch.undo()
    let_days_pass()
    assert (remove().files, disk()) == (1, {})


def test_a_run_that_may_not_go_on_leaves_the_rest_to_the_next(app: Flask) -> None:
    erase_record(send("uuid:1", keep()))
    let_days_pass()
    assert remove_files(datetime.now(UTC), may_go_on=lambda: False) == Removal()
    assert remove().files == 1


def test_a_file_that_was_saved_and_is_not_named_yet_stays(app: Flask) -> None:
    """Between the two a tablet waits for the database, and the record that had the same photograph is erased."""
    record = send("uuid:1", keep())
    let_days_pass()
    again = keep()
    erase_record(record)
    assert remove() == Removal(waiting=1)
    send("uuid:2", again)
    let_days_pass()
    assert (remove(), attachment_store().read(again.stored.sha256)) == (Removal(), PHOTO)


@pytest.mark.both_databases(postgresql="slow")
def test_the_same_bytes_that_come_again_meanwhile_are_never_lost(app: Flask) -> None:
    """A tablet sends a photograph while the same one, of a record that was erased, leaves the disk."""
    record = send("uuid:0", keep())
    for number in range(1, 6):
        let_days_pass()
        start = threading.Barrier(3)
        work: list[Callable[[], object]] = [partial(send_new, f"uuid:{number}"), partial(erase_record, record), remove]
        threads = [threading.Thread(target=run_in, args=(app, start, one)) for one in work]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        with Session(db.engine) as session:
            record = session.scalars(select(Submission.id).filter_by(instance_id=f"uuid:{number}")).one()
            check_named(session)


def send_new(instance_id: str) -> None:
    send(instance_id, keep())


def run_in(app: Flask, start: threading.Barrier, work: Callable[[], object]) -> None:
    start.wait()
    with app.app_context():
        work()


def check_named(session: Session) -> set[str]:
    """Every file that a living record names is there and whole; return them."""
    living = session.scalars(select(Submission).where(Submission.xml != b"")).all()
    held = {file.blob_sha256 for row in living for file in row.attachments if file.blob_sha256}
    second = {event.details["sha256"] for row in living for event in row.events if event.kind == "other_file"}
    assert {one for one in held | second if not attachment_store().is_whole(one)} == set()
    return held | second


def test_after_whatever_happened_all_that_is_named_is_there_and_nothing_else(app: Flask) -> None:
    live(Random(0), steps=12)


@pytest.mark.slow
@pytest.mark.both_databases
@pytest.mark.parametrize("seed", range(1, 9))
def test_the_same_after_much_longer_stories(app: Flask, seed: int) -> None:
    live(Random(seed), steps=80)


def live(rng: Random, steps: int) -> None:
    claim_store(datetime.now(UTC))
    story = Story(rng)
    for _ in range(steps):
        story.go_on()
    for _ in range(2):
        let_days_pass()
        note_unneeded(datetime.now(UTC))
        remove_files(datetime.now(UTC), datetime.now(UTC) + KEEP_STRAYS)
    with Session(db.engine) as session:
        assert set(disk()) == check_named(session)
        assert session.scalars(select(FreedFile)).all() == []


class Story:
    """Records, edits, repeats and erasures with few different photographs, in any order, and runs that break."""

    def __init__(self, rng: Random) -> None:
        self.rng, self.records = rng, [send("uuid:0", keep())]

    def go_on(self) -> None:
        acts = [self.send, self.send, self.edit, self.repeat, self.erase, self.abandon, self.remove, self.break_off]
        self.rng.choice(acts)()
        with Session(db.engine) as session:
            check_named(session)

    def photo(self) -> IncomingFile:
        return keep(self.rng.choice([b"one", b"two", b"three", b"four"]), self.rng.choice(["p.jpg", "q.jpg"]))

    def name(self) -> str:
        return f"uuid:{self.rng.randrange(len(self.records))}"

    def send(self) -> None:
        self.records.append(send(f"uuid:{len(self.records)}", self.photo()))

    def edit(self) -> None:
        self.records.append(send(f"uuid:{len(self.records)}", self.photo(), deprecated_id=self.name()))

    def repeat(self) -> None:
        send(self.name(), self.photo())

    def erase(self) -> None:
        erase_record(self.rng.choice(self.records))

    def abandon(self) -> None:
        """A tablet that is cut off after its file was stored and before its record was."""
        keep(self.rng.randbytes(4))

    def remove(self) -> None:
        let_days_pass(self.rng.choice([0, 2]))
        note_unneeded(datetime.now(UTC))
        remove()

    def break_off(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(file_removal, self.rng.choice(["_remove_some", "_note_gone"]), cut_off)
            try:
                remove()
            except KeyboardInterrupt:
                return


def test_a_file_that_nobody_ever_named_has_a_month_so_that_a_wrong_database_is_noticed(app: Flask) -> None:
    now = datetime.now(UTC)
    claim_store(now)
    keep()
    half = Path(attachment_store()._root) / "ab" / f".{'0' * 32}"
    half.parent.mkdir(exist_ok=True)
    half.write_bytes(b"half")
    assert list(find_unneeded(now)) == []
    let_days_pass()
    assert note_unneeded(now, lambda: False) == 0
    assert (note_unneeded(now), note_unneeded(now), remove().files) == (2, 0, 0)
    assert run_once(app)["find_unneeded_files"] == {}
    assert (remove_files(now + KEEP_STRAYS).files, disk()) == (2, {})


def test_a_file_that_came_whole_waits_for_its_record_as_long_as_a_post_may_be_without_a_link(app: Flask) -> None:
    now, stored = datetime.now(UTC), keep().stored
    _ours.write(partial(add_row, stored=stored))
    let_days_pass()
    late = now + KEEP_UNNAMED + DAYS
    assert (note_unneeded(late - 2 * DAYS), note_unneeded(late)) == (0, 1)
    assert (remove_files(late + KEEP_STRAYS - DAYS).files, list(disk())) == (0, [stored.sha256])
    assert remove_files(late + KEEP_STRAYS).files == 1
    keep(b"cut off")
    let_days_pass()
    told = run_once(app)["find_unneeded_files"]
    assert (told, told.keys() <= LABELS["detail"].keys()) == ({"unneeded_files": 1}, True)


@pytest.mark.parametrize("content", ["<data", "\ufeff\n <?xml version='1.0'?>", "\r\n\t<data id='x'>" + " " * 5000])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_what_may_be_a_record_that_nobody_could_read_stays(app: Flask, content: str, encoding: str) -> None:
    """Of several on one tablet older versions named the first alone, and a tablet that lost it may have sent it."""
    late = datetime.now(UTC) + 2 * KEEP_UNNAMED
    for one in (content.encode(encoding), b"no XML <at all>"):
        add = partial(add_row, stored=attachment_store().save(one))
        _ours.write(add)
    let_days_pass()
    assert note_unneeded(late) == 1
    assert remove_files(late + KEEP_STRAYS).files == 1
    assert [path.read_bytes() for path in disk().values()] == [content.encode(encoding)]


def add_row(session: Session, stored: StoredFile) -> None:
    add_blob(session.connection(), stored, datetime.now(UTC))


def test_a_file_that_the_disk_does_not_show_may_be_a_record(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    late, stored = datetime.now(UTC) + 2 * KEEP_UNNAMED, keep().stored
    _ours.write(partial(add_row, stored=stored))
    path = disk()[stored.sha256]
    path.rename(path.with_name("away"))
    assert note_unneeded(late) == 0
    assert f"a file in folder {stored.sha256[:2]} cannot be read: No such file or directory" in caplog.text
    path.with_name("away").rename(path)
    assert note_unneeded(late) == 1


def test_a_backup_that_is_made_after_an_erasure_does_not_have_its_files(app: Flask, tmp_path: Path) -> None:
    """Also where the disk has not let go yet."""
    erased, kept = keep(), keep(b"another")
    record = send("uuid:1", erased)
    send("uuid:2", kept)
    erase_record(record)
    write_backup(db.engine, attachment_store(), tmp_path / "b.tar.gz")
    with tarfile.open(tmp_path / "b.tar.gz") as archive:
        files = [one.name for one in archive if one.name.startswith("files/")]
        manifest = archive.extractfile("manifest.json")
        assert manifest is not None
        assert json.load(manifest)["missing"] == []
    assert files == [f"files/{kept.stored.sha256}"]
