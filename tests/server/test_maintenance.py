"""What was erased leaves the files of the database, on SQLite and on PostgreSQL."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from server.extensions import db
from server.maintenance import maintain
from sync.models import Submission
from tests.sync.factory import NOW, add_submission
from tests.sync.test_freed_files import erase

# Long, and not to be made shorter, so that the database keeps it apart from its row.
SECRET = Random(0).randbytes(40_000).hex()


def test_sqlite_keeps_nothing_of_it_in_the_file_or_the_log(app: Flask, session: Session, tmp_path: Path) -> None:
    row = add_submission(session, "uuid:1", [{"prenoms": SECRET}])
    session.commit()
    assert held(tmp_path)
    erase(session, row.id)
    session.commit()
    # With the last connection SQLite removes its log; that of the web server stays open for ever.
    with db.engine.connect():
        maintain(db.engine, datetime.now(UTC))
        assert not held(tmp_path)


def held(folder: Path) -> bool:
    return any(SECRET[1000:1100].encode() in one.read_bytes() for one in folder.glob("teral.db*"))


@pytest.mark.slow
def test_a_reader_is_not_waited_for_and_tablets_write_on(app: Flask, session: Session) -> None:
    session.scalar(select(func.count(Submission.id)))
    with Session(db.engine) as other:
        add_submission(other, "uuid:2")
        other.commit()
    maintain(db.engine, datetime.now(UTC))
    with Session(db.engine) as other:
        add_submission(other, "uuid:3")
        other.commit()
        assert other.connection().exec_driver_sql("PRAGMA busy_timeout").scalar() == 10_000


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("days", [1, 9], ids=["lately", "long ago"])
def test_postgresql_gives_back_where_an_erased_record_stood(app: Flask, session: Session, days: int) -> None:
    row = add_submission(session, "uuid:1", [{"prenoms": SECRET}])
    session.commit()
    assert count_kept(session) > len(SECRET)
    erase(session, row.id)
    session.commit()
    maintain(db.engine, NOW + timedelta(days=days))
    assert (count_kept(session) == 0) == (days == 1)


def count_kept(session: Session) -> int:
    """How many bytes the long values of submissions take, with those that nobody sees any more."""
    size = text("SELECT pg_relation_size(reltoastrelid) FROM pg_class WHERE relname = 'submissions'")
    taken: int = session.scalar(size) or 0
    session.commit()
    return taken
