"""What runs in the background: the jobs, their schedule, who leads, and the history of runs.

The jobs themselves are verbs of other rooms; here is only when they run and what becomes of it.
"""

import logging
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Any

from apscheduler.schedulers.blocking import BlockingScheduler
from flask import Flask
from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from server.accounts.models import LoginFailure, UserSession
from server.extensions import db
from server.processing import process_pending
from sync.db import begin_write
from sync.models import JobLease, JobRun

log = logging.getLogger(__name__)

LEASE = "jobs"
# A leader that dies is replaced after this time; it renews three times as often.
LEASE_TIME = timedelta(seconds=15)
PROCESSING_ROW_EVERY = timedelta(minutes=1)
KEEP_RUNS = timedelta(days=30)
KEEP_SESSIONS = timedelta(days=30)
KEEP_LOGIN_FAILURES = timedelta(days=2)

Details = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Job:
    """One job: what it does, and every how many seconds. It says in its details what it did; {} means nothing."""

    name: str
    seconds: float
    run: Callable[[], Details]


def process_submissions() -> Details:
    """Judge and fold in whatever tablets have sent."""
    batch = process_pending()
    return {"done": batch.done, "failed": batch.failed} if batch.done + batch.failed else {}


def tidy_up() -> Details:
    """Forget ended logins, old login failures and the oldest runs."""
    now = datetime.now(UTC)
    with Session(db.engine) as session:
        begin_write(session)
        ended = or_(UserSession.ended_at < now - KEEP_SESSIONS, UserSession.seen_at < now - KEEP_SESSIONS)
        doomed = {
            "sessions": delete(UserSession).where(ended),
            "login_failures": delete(LoginFailure).where(LoginFailure.at < now - KEEP_LOGIN_FAILURES),
            "runs": delete(JobRun).where(JobRun.started_at < now - KEEP_RUNS),
        }
        counts = {name: session.connection().execute(statement).rowcount for name, statement in doomed.items()}
        session.commit()
    return counts


def maintain_database() -> Details:
    """Keep SQLite's write-ahead log short and its statistics fresh; PostgreSQL does this by itself."""
    if db.engine.dialect.name != "sqlite":
        return {"database": db.engine.dialect.name}
    connection = db.engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA optimize")
        connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")
    finally:
        connection.close()
    return {"database": "sqlite"}


JOBS = (
    Job("process", 0.25, process_submissions),
    Job("tidy_up", 3600, tidy_up),
    Job("maintain_database", 86400, maintain_database),
)


def run_once(app: Flask) -> dict[str, Details]:
    """Do everything once, now; several may do so at the same time."""
    with app.app_context():
        return {job.name: _run(job) for job in JOBS}


def run_forever(app: Flask) -> None:
    """Run every job in its time until a signal comes. Of several processes one leads and the others stand by."""
    scheduler = BlockingScheduler(timezone=UTC)
    leader = Leader(app)
    scheduler.add_job(leader.renew, "interval", seconds=LEASE_TIME.total_seconds() / 3, next_run_time=datetime.now(UTC))
    for job in JOBS:
        scheduler.add_job(
            _led(app, leader, job),
            "interval",
            seconds=job.seconds,
            next_run_time=datetime.now(UTC) + timedelta(seconds=0.2),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
    logging.getLogger("apscheduler").setLevel(logging.ERROR)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        scheduler.shutdown(wait=False)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    scheduler.start()
    leader.resign()


class Leader:
    """Holds the lease, a row with an end: whoever finds it run out may take it."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.holder = f"{socket.gethostname()}:{os.getpid()}"
        self.until = datetime.min.replace(tzinfo=UTC)

    @property
    def leads(self) -> bool:
        return datetime.now(UTC) < self.until

    def renew(self) -> None:
        """Take or keep the lease, if nobody else holds it."""
        now = datetime.now(UTC)
        with self.app.app_context(), Session(db.engine) as session:
            begin_write(session)
            if _take_lease(session, self.holder, now):
                self.until = now + LEASE_TIME
            session.commit()

    def resign(self) -> None:
        """Leave the lease to others at once."""
        with self.app.app_context(), Session(db.engine) as session:
            begin_write(session)
            session.execute(delete(JobLease).where(JobLease.name == LEASE, JobLease.holder == self.holder))
            session.commit()


def _take_lease(session: Session, holder: str, now: datetime) -> bool:
    free = or_(JobLease.holder == holder, JobLease.expires_at < now)
    renewed = update(JobLease).where(JobLease.name == LEASE, free).values(holder=holder, expires_at=now + LEASE_TIME)
    if session.connection().execute(renewed).rowcount:
        return True
    if session.get(JobLease, LEASE) is not None:
        return False
    try:
        with session.begin_nested():
            session.add(JobLease(name=LEASE, holder=holder, expires_at=now + LEASE_TIME))
    except IntegrityError:
        # Another process took it between our look and our insert.
        return False
    return True


def _led(app: Flask, leader: Leader, job: Job) -> Callable[[], None]:
    def run() -> None:
        if leader.leads:
            with app.app_context():
                _run(job)

    return run


def _run(job: Job) -> Details:
    """Run a job and write down how it went; a failure is told and never ends the schedule."""
    started = datetime.now(UTC)
    try:
        details = job.run()
        outcome = "done"
    except Exception as error:  # noqa: BLE001 (the schedule outlives whatever a job breaks on)
        # The error's text may quote data; its type does not.
        details, outcome = {"error": type(error).__name__}, "failed"
        log.error("job %s failed: %s", job.name, details["error"])
    if details:
        _record(job.name, started, outcome, details)
    return details


def _record(name: str, started: datetime, outcome: str, details: Details) -> None:
    with Session(db.engine) as session:
        begin_write(session)
        recent = _recent_processing(session, name, started, outcome)
        if recent is not None:
            recent.details = {key: recent.details.get(key, 0) + value for key, value in details.items()}
            recent.finished_at = datetime.now(UTC)
        else:
            finished = datetime.now(UTC)
            session.add(JobRun(job=name, started_at=started, finished_at=finished, outcome=outcome, details=details))
        session.commit()


def _recent_processing(session: Session, name: str, started: datetime, outcome: str) -> JobRun | None:
    """The row that sums up this minute's processing: four runs a second would bury all else."""
    if name != "process" or outcome != "done":
        return None
    recent = select(JobRun).where(JobRun.job == name, JobRun.started_at > started - PROCESSING_ROW_EVERY)
    return session.scalar(recent.where(JobRun.outcome == "done").order_by(JobRun.id.desc()).limit(1))
