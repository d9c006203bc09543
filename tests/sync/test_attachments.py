"""Content-addressed files: on disk before anything names them, on a folder and on S3."""

import hashlib
import io
import itertools
import os
import stat
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sync.attachments import AttachmentStore, add_blob
from sync.models import Blob

PHOTO = b"\x89PNG of nobody" * 1000
SHA256 = hashlib.sha256(PHOTO).hexdigest()
YESTERDAY = datetime.now(UTC) - timedelta(days=1)
TOMORROW = YESTERDAY + timedelta(days=2)


@pytest.fixture
def store(tmp_path: Path) -> AttachmentStore:
    return AttachmentStore(str(tmp_path / "store"))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What reaches the disk, in order: the kernel's own calls, watched and still made."""
    seen: list[str] = []
    fsync, replace = os.fsync, os.replace

    def watched_fsync(descriptor: int) -> None:
        kind = "folder" if Path(f"/proc/self/fd/{descriptor}").resolve().is_dir() else "file"
        seen.append(f"fsync {kind}")
        fsync(descriptor)

    def watched_replace(source: Any, target: Any) -> None:
        seen.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "replace", watched_replace)
    return seen


def test_file_is_synced_before_its_name_and_its_name_before_the_answer(
    store: AttachmentStore, calls: list[str]
) -> None:
    store.save(next(neighbours()))
    calls.clear()
    store.save(PHOTO)
    assert calls == ["fsync file", "rename", "fsync folder"]


@pytest.mark.parametrize("made", [False, True], ids=["new", "made by a process that died"])
def test_a_folder_is_synced_before_its_first_file(store: AttachmentStore, calls: list[str], made: bool) -> None:
    if made:
        (Path(store._root) / SHA256[:2]).mkdir(parents=True)
    store.save(PHOTO)
    assert calls == ["fsync folder", "fsync file", "rename", "fsync folder"]


def neighbours() -> Iterator[bytes]:
    """Contents that lie in the photo's folder."""
    contents = (f"neighbour {number}".encode() for number in itertools.count())
    return (one for one in contents if hashlib.sha256(one).hexdigest()[:2] == SHA256[:2])


@pytest.mark.parametrize("content", [PHOTO, io.BytesIO(PHOTO)], ids=["bytes", "stream"])
def test_what_is_saved_is_read_back(store: AttachmentStore, content: Any) -> None:
    stored = store.save(content)
    assert (stored.sha256, stored.size) == (SHA256, len(PHOTO))
    assert store.read(SHA256) == store.open(SHA256).read() == PHOTO


def test_same_file_is_written_once(store: AttachmentStore, calls: list[str]) -> None:
    store.save(PHOTO)
    calls.clear()
    assert store.save(PHOTO).sha256 == SHA256
    assert "rename" not in calls


def test_a_name_is_made_safe_again_before_it_is_relied_upon(store: AttachmentStore, calls: list[str]) -> None:
    store.save(PHOTO)
    calls.clear()
    # The process that renamed the file may have been killed before it came to the folder.
    store.save(PHOTO)
    assert calls == ["fsync folder"]
    calls.clear()
    AttachmentStore(store._root).save(PHOTO)
    assert calls == ["fsync folder", "fsync folder"]


def test_failed_write_leaves_nothing_behind(store: AttachmentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(descriptor: int) -> None:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(OSError, match="No space left"):
        store.save(PHOTO)
    assert not store.has(SHA256)
    assert [path for path in Path(store._root).rglob("*") if path.is_file()] == []


def old(store: AttachmentStore, sha256: str = SHA256, days: float = 2) -> Path:
    """Let a file have been saved so many days ago."""
    path = Path(store._root) / sha256[:2] / sha256[2:]
    moment = time.time() - days * 86400
    os.utime(path, (moment, moment))
    return path


def test_a_file_that_nobody_saved_since_is_removed(store: AttachmentStore, calls: list[str]) -> None:
    store.save(PHOTO)
    path = old(store)
    calls.clear()
    assert store.remove(SHA256, YESTERDAY) == len(PHOTO)
    assert (path.exists(), store.has(SHA256), calls) == (False, False, ["fsync folder"])
    assert store.remove(SHA256, YESTERDAY) == 0


def test_a_file_that_was_saved_again_stays(store: AttachmentStore) -> None:
    store.save(PHOTO)
    old(store)
    store.save(PHOTO)
    assert (store.remove(SHA256, YESTERDAY), store.read(SHA256)) == (None, PHOTO)


def test_a_clock_that_went_wrong_keeps_a_file_for_a_while_and_not_for_years(store: AttachmentStore) -> None:
    store.save(PHOTO)
    path = old(store, days=-2000)
    assert store.remove(SHA256, YESTERDAY) is None
    assert path.stat().st_mtime <= time.time()


def test_what_the_disk_does_not_let_go_of_is_told(store: AttachmentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save(PHOTO)
    old(store)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(PermissionError):
        store.remove(SHA256, YESTERDAY)
    assert store.read(SHA256) == PHOTO


def refuse(_path: Path, *_more: object, **_options: object) -> None:
    raise PermissionError(13, "Permission denied")


def test_a_file_whose_time_cannot_be_set_is_written_anew(
    store: AttachmentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else restored it."""
    store.save(PHOTO)
    old(store)
    monkeypatch.setattr(os, "utime", refuse)
    assert store.save(PHOTO).sha256 == SHA256
    assert (store.remove(SHA256, YESTERDAY), store.read(SHA256)) == (None, PHOTO)


@pytest.mark.parametrize("is_ours", [True, False], ids=["ours", "restored by somebody else"])
def test_who_saves_waits_until_who_removes_has_looked_and_removed(
    store: AttachmentStore, monkeypatch: pytest.MonkeyPatch, is_ours: bool
) -> None:
    """The same bytes come again in the moment between the look at their age and their end."""
    store.save(PHOTO)
    old(store)
    if not is_ours:
        monkeypatch.setattr(os, "utime", refuse)
    unlink, saved = Path.unlink, threading.Event()

    def save() -> None:
        store.save(PHOTO)
        saved.set()

    def unlink_meanwhile(path: Path, **options: Any) -> None:
        monkeypatch.setattr(Path, "unlink", unlink)
        thread.start()
        assert not saved.wait(0.2)
        unlink(path, **options)

    thread = threading.Thread(target=save)
    monkeypatch.setattr(Path, "unlink", unlink_meanwhile)
    assert store.remove(SHA256, YESTERDAY) == len(PHOTO)
    thread.join()
    assert store.read(SHA256) == PHOTO


def test_idle_files_are_listed_with_what_was_never_whole(store: AttachmentStore) -> None:
    store.save(PHOTO)
    young = next(neighbours())
    store.save(young)
    half, theirs = (old(store).with_name(name) for name in ("." + "5f" * 16, "notes of somebody"))
    for path in (half, theirs):
        path.write_bytes(PHOTO[:9])
        os.utime(path, (0, 0))
    name = SHA256[:2] + half.name
    assert [sorted(names) for names in store.list_idle(YESTERDAY, TOMORROW)] == [[name, SHA256]]
    assert store.remove(name, YESTERDAY) == 9
    assert (half.exists(), theirs.exists()) == (False, True)


def test_a_file_from_after_today_is_as_old_as_anything(store: AttachmentStore) -> None:
    store.save(PHOTO)
    old(store, days=-2000)
    assert list(store.list_idle(YESTERDAY, TOMORROW)) == [[SHA256]]


def test_an_empty_store_has_no_idle_files(store: AttachmentStore) -> None:
    assert list(store.list_idle(YESTERDAY, TOMORROW)) == []


@pytest.mark.parametrize("is_there", [True, False], ids=["its folder", "nothing"])
def test_where_nothing_is_at_all_the_disk_is_not_mounted_and_no_file_counts_as_gone(
    store: AttachmentStore, is_there: bool
) -> None:
    store.save(PHOTO)
    root = Path(store._root)
    root.rename(root.with_name("disk"))
    if is_there:
        root.mkdir()
    with pytest.raises(OSError, match="No such device"):
        store.remove(SHA256, YESTERDAY)


def test_a_storage_that_tells_no_times_keeps_everything() -> None:
    store = AttachmentStore("memory://teral-attachments")
    store.save(PHOTO)
    assert list(store.list_idle(TOMORROW, TOMORROW)) == []
    assert (store.remove(SHA256, TOMORROW), store.read(SHA256)) == (None, PHOTO)


def test_blob_row_is_added_once(store: AttachmentStore, session: Session) -> None:
    stored = store.save(PHOTO)
    for _ in range(2):
        add_blob(session.connection(), stored, datetime.now(UTC))
    assert session.scalar(select(func.count()).select_from(Blob)) == 1


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _host, port = server.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    server.stop()


def test_same_code_keeps_files_on_s3(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec

    for name, value in {
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": s3_url,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    fsspec.filesystem("s3").mkdir("teral-attachments")
    store = AttachmentStore("s3://teral-attachments/files")
    assert not store.has(SHA256)
    assert store.save(PHOTO).sha256 == SHA256
    assert store.read(SHA256) == PHOTO
    assert store.read_mark() is None
    store.write_mark("of this server")
    assert store.read_mark() == "of this server"
    assert list(store.list_idle(YESTERDAY, TOMORROW)) == []
    assert store.remove(SHA256, YESTERDAY) is None
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert list(store.list_idle(tomorrow, tomorrow)) == [[SHA256]]
    assert (store.remove(SHA256, tomorrow), store.has(SHA256), store.remove(SHA256, tomorrow)) == (len(PHOTO), False, 0)
