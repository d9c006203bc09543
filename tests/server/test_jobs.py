"""Jobs run, one process leads, and what happened is written down."""

import os
import signal
import threading
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from server import jobs
from server.accounts.models import LoginFailure
from server.extensions import db
from server.jobs import LEASE_TIME, Job, Leader, run_forever, run_once
from sync.models import JobLease, JobRun, Submission
from tests.sync.factory import add_submission

OLD = datetime.now(UTC) - timedelta(days=90)


def runs(session: Session) -> list[tuple[str, str]]:
    return [(one.job, one.outcome) for one in session.scalars(select(JobRun).order_by(JobRun.id))]


@pytest.mark.both_databases
def test_once_does_all_that_is_due(app: Flask, session: Session) -> None:
    row = add_submission(session, "uuid:1")
    session.commit()
    done = run_once(app)
    session.refresh(row)
    assert (done["process"], row.state) == ({"done": 1, "failed": 0}, "quarantined")


def test_processing_that_found_nothing_leaves_no_row(app: Flask, session: Session) -> None:
    run_once(app)
    assert ("process", "done") not in runs(session)


def test_a_minute_of_processing_is_one_row(app: Flask, session: Session) -> None:
    for number in range(3):
        add_submission(session, f"uuid:{number}")
        session.commit()
        run_once(app)
    (row,) = session.scalars(select(JobRun).where(JobRun.job == "process"))
    assert row.details == {"done": 3, "failed": 0}


@pytest.mark.both_databases
def test_old_traces_are_forgotten(app: Flask, session: Session) -> None:
    session.add_all(
        [LoginFailure(at=OLD, account="a", address="b"), LoginFailure(at=datetime.now(UTC), account="a", address="b")]
    )
    session.add(JobRun(job="tidy_up", started_at=OLD, outcome="done", details={}))
    session.commit()
    assert run_once(app)["tidy_up"] == {"sessions": 0, "login_failures": 1, "runs": 1}


def test_a_failing_job_is_recorded_without_its_words(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> dict[str, object]:
        raise ValueError("Awa Ndiaye")

    monkeypatch.setattr(jobs, "JOBS", (Job("broken", 1, fail),))
    assert run_once(app) == {"broken": {"error": "ValueError"}}
    assert runs(session) == [("broken", "failed")]
    assert "Awa" not in caplog.text


@pytest.mark.both_databases
def test_one_of_two_processes_leads_until_it_resigns(app: Flask) -> None:
    first, second = Leader(app), Leader(app)
    second.holder = "another:1"
    first.renew()
    second.renew()
    assert (first.leads, second.leads) == (True, False)
    first.resign()
    second.renew()
    assert second.leads


def test_a_leader_that_died_is_replaced(app: Flask, session: Session) -> None:
    session.add(JobLease(name="jobs", holder="dead:1", expires_at=datetime.now(UTC) - LEASE_TIME))
    session.commit()
    leader = Leader(app)
    leader.renew()
    assert leader.leads


def test_the_job_process_works_until_a_signal(app: Flask, session: Session) -> None:
    add_submission(session, "uuid:1")
    session.commit()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    stop = threading.Timer(2.5, os.kill, (os.getpid(), signal.SIGTERM))
    stop.start()
    try:
        run_forever(app)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    session.expire_all()
    assert session.scalar(select(Submission.state)) == "quarantined"
    assert session.scalars(select(JobLease)).all() == []


def test_the_database_is_open_after_maintenance(app: Flask, session: Session) -> None:
    assert run_once(app)["maintain_database"] == {"database": "sqlite"}
    assert db.session.scalars(select(Submission)).all() == []
