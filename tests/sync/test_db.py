"""Writers on SQLite queue for their turn, in this process and in others."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from sync import db
from sync.db import begin_write, prepare_sqlite


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{tmp_path / 'a.db'}")
    prepare_sqlite(engine)
    with Session(engine) as session:
        begin_write(session)
        session.execute(text("CREATE TABLE t (a INTEGER)"))
        session.commit()
    return engine


def add_one(engine: Engine) -> None:
    with Session(engine) as session:
        begin_write(session)
        session.execute(text("INSERT INTO t VALUES (1)"))
        session.commit()


def count(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(text("SELECT count(*) FROM t")).scalar_one()


def test_busy_writers_starve_nobody(engine: Engine) -> None:
    stop = threading.Event()

    def write_on_and_on() -> None:
        while not stop.is_set():
            with Session(engine) as session:
                begin_write(session)
                session.execute(text("INSERT INTO t VALUES (0)"))
                stop.wait(0.005)
                session.commit()

    with ThreadPoolExecutor(3) as pool:
        busy = [pool.submit(write_on_and_on) for _ in range(3)]
        try:
            for _ in range(10):
                add_one(engine)
            # Ten turns of ours, and each time a few of theirs before it.
            assert count(engine) < 100
        finally:
            stop.set()
        assert [one.result() for one in busy] == [None] * 3
    engine.dispose()


def test_turn_ends_with_a_transaction_that_fails(engine: Engine) -> None:
    with Session(engine) as session:
        begin_write(session)
        with pytest.raises(OperationalError):
            session.execute(text("INSERT INTO nothing VALUES (1)"))
    add_one(engine)
    assert count(engine) == 1
    engine.dispose()


def test_who_waits_in_vain_gets_an_error(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "_WAIT_S", 0.05)
    with Session(engine) as holder, Session(engine) as other:
        begin_write(holder)
        other.connection().exec_driver_sql("PRAGMA busy_timeout=50")
        other.rollback()
        with pytest.raises(OperationalError, match="locked"):
            begin_write(other)
    engine.dispose()


def test_reading_waits_for_nobody(engine: Engine) -> None:
    with Session(engine) as holder:
        begin_write(holder)
        assert count(engine) == 0
    engine.dispose()


def test_a_commit_waits_for_the_disk(engine: Engine) -> None:
    """Which the databases of most tests do not: what is acknowledged must survive a power cut."""
    assert [ask(engine, name) for name in ("journal_mode", "synchronous")] == ["wal", 2]


def test_what_is_deleted_is_overwritten(engine: Engine) -> None:
    assert ask(engine, "secure_delete") == 1


def ask(engine: Engine, pragma: str) -> object:
    with engine.connect() as connection:
        return connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()
