"""Waiting requests are committed together; the failure of one undoes nothing of the others."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import event, func, insert, select
from sqlalchemy.orm import Session

from server.extensions import db
from server.openrosa.committer import GroupCommitter, PlainCommitter, make_committer
from sync.models import JobLease
from tests.sync.factory import NOW


@pytest.fixture
def commits(app: Flask) -> list[str]:
    seen: list[str] = []
    event.listen(db.engine, "commit", lambda _connection: seen.append("commit"))
    return seen


def add(name: str, session: Session) -> str:
    session.connection().execute(insert(JobLease), {"name": name, "holder": "x", "expires_at": NOW})
    return name


def fail(session: Session) -> None:
    add("never", session)
    raise ValueError("no")


def count() -> int:
    with Session(db.engine) as session:
        return session.scalars(select(func.count()).select_from(JobLease)).one()


@pytest.mark.both_databases
def test_result_comes_after_the_commit(app: Flask) -> None:
    assert make_committer(db.engine).run(lambda session: add("a", session)) == "a"
    assert count() == 1


@pytest.mark.both_databases
def test_failure_is_raised_to_its_own_request_and_keeps_nothing(app: Flask) -> None:
    with pytest.raises(ValueError, match="no"):
        make_committer(db.engine).run(fail)
    assert count() == 0


def test_sqlite_groups_and_postgresql_does_not(app: Flask) -> None:
    assert isinstance(make_committer(db.engine), GroupCommitter)
    assert isinstance(PlainCommitter(db.engine), PlainCommitter)


def test_those_who_wait_share_one_commit(app: Flask, commits: list[str]) -> None:
    committer = GroupCommitter(db.engine)
    works = [lambda session, name=f"job {n}": add(name, session) for n in range(8)]
    with ThreadPoolExecutor(9) as pool:
        with committer._writing:  # somebody is committing; all others come meanwhile
            waiting = [pool.submit(committer.run, work) for work in [*works, fail]]
            until(lambda: len(committer._waiting) == 9)
        results = [one.result() for one in waiting[:-1]]
        assert isinstance(waiting[-1].exception(), ValueError)
    assert (results, commits, count()) == ([f"job {n}" for n in range(8)], ["commit"], 8)


def test_failed_commit_is_everybodys(app: Flask) -> None:
    committer = GroupCommitter(db.engine)

    def refuse(_connection: object) -> None:
        raise OSError("the disk is gone")

    event.listen(db.engine, "commit", refuse)
    with pytest.raises(OSError, match="the disk is gone"):
        committer.run(lambda session: add("a", session))
    event.remove(db.engine, "commit", refuse)
    assert count() == 0


def until(condition: object) -> None:
    pause = threading.Event()
    for _ in range(500):
        if condition():  # type: ignore[operator]
            return
        pause.wait(0.01)
    raise AssertionError("it never happened")
