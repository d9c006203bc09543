"""Of several job processes one leads, and each ends when it is told to."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.extensions import db
from server.scheduler import LEASE_TIME, SIGNALS, Leader, run_forever
from sync.models import JobLease, Submission
from tests.server.test_run_folders import leave_behind
from tests.sync.factory import add_submission


@pytest.fixture
def own_handlers() -> Iterator[None]:
    """Give the process back its signal handlers."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.both_databases
def test_one_of_two_processes_leads_until_it_resigns(app: Flask) -> None:
    first, second = Leader(app), Leader(app)
    second.holder = "another:1"
    first.renew()
    second.renew()
    assert (first.leads(), second.leads()) == (True, False)
    first.resign()
    second.renew()
    assert second.leads()


def test_a_leader_that_died_is_replaced(app: Flask, session: Session) -> None:
    session.add(JobLease(name="jobs", holder="dead:1", expires_at=datetime.now(UTC) - LEASE_TIME))
    session.commit()
    leader = Leader(app)
    leader.renew()
    assert leader.leads()


def end_when_judged(app: Flask, left: Path, number: signal.Signals) -> None:
    """The signal comes when the record is judged and the folder cleared away, or after a minute of nothing."""
    until = time.monotonic() + 60
    with app.app_context():
        while time.monotonic() < until and (left.exists() or is_waiting()):
            time.sleep(0.02)
        db.session.remove()
    os.kill(os.getpid(), number)


def is_waiting() -> bool:
    db.session.rollback()
    return db.session.scalar(select(Submission.state)) == "received"


@pytest.mark.parametrize("number", SIGNALS, ids=str)
def test_the_job_process_works_until_a_signal(
    app: Flask, session: Session, own_handlers: None, number: signal.Signals
) -> None:
    add_submission(session, "uuid:1")
    session.commit()
    left = leave_behind(Path(app.extensions["teral_settings"].data_dir))
    threading.Thread(target=end_when_judged, args=(app, left, number)).start()
    run_forever(app)
    session.expire_all()
    assert session.scalar(select(Submission.state)) == "quarantined"
    assert (session.scalars(select(JobLease)).all(), left.exists()) == ([], False)


def test_a_leader_that_stops_begins_no_work(app: Flask) -> None:
    leader = Leader(app)
    leader.renew()
    leader.step_down()
    assert not leader.leads()
