"""A backup restores to the same registry and files, on either database, or to nothing at all."""

import gzip
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import pytest
from flask import Flask
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.orm import Session

from server import backup, create_app
from server.backup import BackupRefused, read_backup, write_backup
from server.config import Settings
from server.extensions import attachment_store, db
from server.file_removal import remove_files
from server.processing import process_pending
from sync.attachments import AttachmentStore, add_blob
from sync.journal import parse_lines, read_journal, receive_journal, write_line
from sync.models import Actor, Blob, Submission
from sync.publishing import publish_form
from sync.registry import registry_digest
from tests.conftest import SECRET
from tests.postgres import create_database, drop_database
from tests.server.test_file_removal import disk, erase_record, keep, let_days_pass, send
from tests.sync.factory import NOW, add_submission, form_file

AWA = {"prenoms": "Awa", "nom": "Ndiaye", "sexe": "2", "age": "31"}


@pytest.fixture
def full(session: Session) -> str:
    """A database with a form, a file, a record, its edit and a twin; gives its digest."""
    villages = attachment_store().save(b"name,label\nros,Rosso\n")
    add_blob(session.connection(), villages, NOW)
    publish_form(session, form_file(), {"villages.csv": villages.sha256}, None, NOW)
    first = add_submission(session, "uuid:1", [AWA])
    add_submission(session, "uuid:1", [{**AWA, "age": "32"}], twin_of_id=first.id)
    add_submission(session, "uuid:2", [{**AWA, "prenoms": "Awa Marie"}], deprecated_id="uuid:1")
    session.commit()
    process_pending()
    session.expire_all()
    digest = registry_digest(session)
    session.rollback()
    return digest


@pytest.fixture
def archive(app: Flask, full: str, tmp_path: Path) -> Path:
    path = tmp_path / "backup.tar.gz"
    write_backup(db.engine, attachment_store(), path)
    return path


def restored(settings: Settings, archive: Path) -> tuple[str, int, int]:
    with create_app(settings).app_context():
        read_backup(db.engine, attachment_store(), archive)
        blob = db.session.scalars(select(Blob)).one()
        assert attachment_store().read(blob.sha256) == b"name,label\nros,Rosso\n"
        assert has_statistics()
        edits = db.session.scalar(select(func.count()).where(Submission.superseded_by_id.is_not(None)))
        # A sequence that was not advanced would fail here.
        db.session.add(Actor(kind="system", display_name="new", created_at=NOW))
        db.session.add(Actor(kind="system", display_name="newer", created_at=NOW))
        db.session.commit()
        found = registry_digest(db.session()), db.session.scalar(select(func.count(Submission.id))) or 0, edits or 0
        db.session.remove()
        db.engine.dispose()
        return found


def has_statistics() -> bool:
    """Whether the database knows how many submissions it has, which it needs to plan well."""
    known = {
        "sqlite": "SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'submissions'",
        "postgresql": "SELECT reltuples FROM pg_class WHERE relname = 'submissions'",
    }
    return (db.session.scalar(text(known[db.engine.dialect.name])) or 0) > 0


@pytest.mark.both_databases
def test_a_backup_restores_to_the_same_registry_on_sqlite(full: str, archive: Path, tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path / "other"), secret_key=SECRET)
    settings.data_path.mkdir()
    assert restored(settings, archive) == (full, 3, 1)


@pytest.mark.both_databases(postgresql="slow")
def test_a_backup_restores_to_the_same_registry_on_postgresql(
    full: str, archive: Path, tmp_path: Path, postgres_url: str
) -> None:
    url = create_database(postgres_url, "restored")
    try:
        settings = Settings(data_dir=str(tmp_path / "other"), database_url=url, secret_key=SECRET)
        assert restored(settings, archive) == (full, 3, 1)
    finally:
        drop_database(postgres_url, "restored")


def test_only_its_owner_may_read_a_backup(archive: Path) -> None:
    assert archive.stat().st_mode & 0o077 == 0


def test_a_full_disk_leaves_the_older_backup_and_no_half_of_another(archive: Path) -> None:
    older = archive.read_bytes()
    with limited(200), pytest.raises(OSError, match="too large"):
        write_backup(db.engine, attachment_store(), archive, replaces=True)
    assert archive.read_bytes() == older
    assert [one.name for one in archive.parent.iterdir() if archive.name in one.name] == [archive.name]


@contextmanager
def limited(size: int) -> Iterator[None]:
    """No file may grow beyond this size, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_database_with_data_is_not_overwritten(app: Flask, archive: Path) -> None:
    with pytest.raises(BackupRefused, match="holds data already"):
        read_backup(db.engine, attachment_store(), archive)


@pytest.mark.parametrize("damage", ["cut", "flipped", "no archive"])
def test_a_damaged_archive_restores_nothing(archive: Path, tmp_path: Path, damage: str, sqlite_template: Path) -> None:
    data = archive.read_bytes()
    middle = len(data) // 2
    # In a record itself: a bit of tar's padding harms nobody.
    flipped = gzip.compress(gzip.decompress(data).replace(b"uuid:1", b"uuid:3", 1))
    broken = {"cut": data[:middle], "flipped": flipped, "no archive": b"PK"}
    archive.write_bytes(broken[damage])
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(sqlite_template, other / "teral.db")
    with create_app(Settings(data_dir=str(other), secret_key=SECRET)).app_context():
        with pytest.raises(BackupRefused, match="nothing was restored"):
            read_backup(db.engine, attachment_store(), archive)
        assert not (other / "attachments").exists()
        assert db.session.scalar(select(func.count(Submission.id))) == 0
        db.session.remove()
        db.engine.dispose()


def test_a_backup_of_another_version_is_named_as_such(
    app: Flask, full: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_template: Path
) -> None:
    db.session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    db.session.commit()
    monkeypatch.setattr(backup, "newest_revision", lambda: "9999")
    write_backup(db.engine, attachment_store(), tmp_path / "newer")
    (tmp_path / "other").mkdir()
    shutil.copy(sqlite_template, tmp_path / "other" / "teral.db")
    other = create_engine(f"sqlite:///{tmp_path / 'other' / 'teral.db'}")
    with pytest.raises(BackupRefused, match="another version"):
        read_backup(other, attachment_store(), tmp_path / "newer")
    other.dispose()


def test_a_database_that_is_not_set_up_is_not_backed_up(app: Flask, tmp_path: Path) -> None:
    db.session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    db.session.commit()
    with pytest.raises(BackupRefused, match="teral setup"):
        write_backup(db.engine, attachment_store(), tmp_path / "backup")
    assert [path.name for path in tmp_path.iterdir() if "backup" in path.name] == []


@pytest.mark.parametrize("damage", ["lost", "altered"])
def test_a_file_that_the_disk_lost_costs_only_itself(app: Flask, full: str, tmp_path: Path, damage: str) -> None:
    sha256 = db.session.scalars(select(Blob.sha256)).one()
    db.session.rollback()
    path = tmp_path / "attachments" / sha256[:2] / sha256[2:]
    path.unlink() if damage == "lost" else path.write_bytes(b"something else entirely")
    manifest = write_backup(db.engine, attachment_store(), tmp_path / "backup")
    assert (manifest["files"], manifest["missing"]) == (0, [sha256])


def test_a_file_that_is_erased_while_the_backup_is_written_is_not_lost(app: Flask, tmp_path: Path) -> None:
    erased, lost = keep(), keep(b"another", "q.jpg")
    records = [send("uuid:1", erased), send("uuid:2", lost)]
    let_days_pass()
    disk()[lost.stored.sha256].unlink()

    class Meanwhile(AttachmentStore):
        """Somebody erases the first record when its file is about to be read."""

        def open(self, sha256: str) -> IO[bytes]:
            if sha256 == erased.stored.sha256:
                erase_record(records[0])
                remove_files(datetime.now(UTC))
            return super().open(sha256)

    manifest = write_backup(db.engine, Meanwhile(attachment_store()._root), tmp_path / "b.tar.gz")
    assert (manifest["files"], manifest["missing"]) == (0, [lost.stored.sha256])


@pytest.mark.slow
def test_what_was_erased_since_is_erased_again_where_an_older_backup_is_restored(app: Flask, tmp_path: Path) -> None:
    """With the newest journal, as the README says."""
    record = send("uuid:1", keep())
    write_backup(db.engine, attachment_store(), tmp_path / "older.tar.gz")
    erase_record(record)
    journal = [write_line(one) for one in read_journal(db.session())]
    settings = Settings(data_dir=str(tmp_path / "other"), secret_key=SECRET)
    with create_app(settings).app_context():
        read_backup(db.engine, attachment_store(), tmp_path / "older.tar.gz")
        assert len(disk()) == 1
        receive_journal(db.session(), parse_lines(journal), NOW)
        db.session.commit()
        let_days_pass()
        assert (remove_files(datetime.now(UTC)).files, disk()) == (1, {})
        assert db.session.scalars(select(Submission.xml)).all() == [b""]
        db.session.remove()
        db.engine.dispose()
