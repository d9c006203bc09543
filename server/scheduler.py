"""The job process: who leads, when each job runs, and how it ends. What runs and its history: jobs.py."""

import logging
import queue
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask
from sqlalchemy.orm import Session

from server.extensions import db
from server.jobs import JOBS, Job, run_if_due
from server.run_folders import sweep_run_folders
from sync.db import begin_write
from sync.leases import LEADING, leave_lease, make_holder, take_lease

# A leader that dies is replaced after this time; it renews three times as often.
LEASE_TIME = timedelta(seconds=15)
# How often a job that is not frequent is held against its history.
LOOK = timedelta(seconds=5)
SIGNALS = (signal.SIGTERM, signal.SIGINT)


def run_forever(app: Flask) -> None:
    """Run every job in its time until a signal comes. Of several processes one leads and the others stand by."""
    signals: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in SIGNALS:
        # All that a handler does: it may come while the main thread holds any lock of the scheduler.
        signal.signal(number, lambda received, _frame: signals.put(received))
    sweep_run_folders(app.extensions["teral_settings"])
    leader = Leader(app)
    scheduler = _make_scheduler(app, leader)
    scheduler.start()
    signals.get()
    leader.step_down()
    scheduler.shutdown(wait=True)
    leader.resign()


def _make_scheduler(app: Flask, leader: "Leader") -> BackgroundScheduler:
    # It reports each run that it left out because the last one still works, four times a second.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    scheduler = BackgroundScheduler(
        timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    _schedule(scheduler, leader.renew, LEASE_TIME / 3)
    for job in JOBS:
        _schedule(scheduler, _led(app, leader, job), job.every if job.frequent else LOOK)
    return scheduler


def _schedule(scheduler: BackgroundScheduler, run: Callable[[], None], every: timedelta) -> None:
    scheduler.add_job(run, "interval", seconds=every.total_seconds(), next_run_time=datetime.now(UTC))


def _led(app: Flask, leader: "Leader", job: Job) -> Callable[[], None]:
    def run() -> None:
        if leader.leads():
            with app.app_context():
                run_if_due(job, leader.leads)

    return run


class Leader:
    """Holds the lease, a row with an end: whoever finds it run out may take it.

    Two leaders, after clocks jumped, do double work and no harm: whoever applies a verdict locks the record first.
    """

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.holder = make_holder()
        self.until = datetime.min.replace(tzinfo=UTC)
        self.stopping = False

    def leads(self) -> bool:
        return not self.stopping and datetime.now(UTC) < self.until

    def renew(self) -> None:
        """Take or keep the lease, if nobody else holds it."""
        now = datetime.now(UTC)
        with self.app.app_context(), Session(db.engine) as session:
            begin_write(session)
            if take_lease(session, LEADING, self.holder, now, now + LEASE_TIME):
                self.until = now + LEASE_TIME
            session.commit()

    def step_down(self) -> None:
        """Begin no work any more, and let that which runs end at its next step."""
        self.stopping = True

    def resign(self) -> None:
        """Leave the lease to others at once."""
        with self.app.app_context(), Session(db.engine) as session:
            begin_write(session)
            leave_lease(session, LEADING, self.holder)
            session.commit()
