"""What runs in the background: the jobs, how often, and the history of their runs. When, and who leads: scheduler.py.

The jobs themselves are verbs of other rooms; here is only what becomes of a run.
"""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import delete, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from server.accounts.models import LoginFailure, UserSession
from server.extensions import db
from server.file_removal import BEING_NAMED, FilesLeft, note_unneeded, remove_files
from server.kept_exports import find_kept_exports
from server.keys import unlock_submissions
from server.maintenance import maintain
from server.peers import run_due
from server.processes import MayGoOn, run_command
from server.processing import process_pending
from server.relay import current_settings, forward, is_due, open_link
from sync.db import begin_write
from sync.entity_fold import force_overdue, has_overdue
from sync.link_models import find_linking, list_models
from sync.link_reports import read_latest_reports
from sync.models import JobRun, PeerRun
from sync.registry import lock_registry
from sync.relaying.pieces import forget_pieces
from sync.settings import get_setting

log = logging.getLogger(__name__)

FREQUENT = timedelta(minutes=1)
KEEP_RUNS = timedelta(days=30)
KEEP_SESSIONS = timedelta(days=30)
KEEP_LOGIN_FAILURES = timedelta(days=2)
# A post may be without a link for weeks.
KEEP_PIECES = timedelta(days=60)

Details = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Job:
    """One job: what it does, and how often. It says in its details what it did; {} means nothing.

    A long one asks between two steps whether it may go on, so that a signal need not wait for its end.
    """

    name: str
    every: timedelta
    run: Callable[[MayGoOn], Details]

    @property
    def frequent(self) -> bool:
        """Whether its runs are summed up to a row a minute: one row each would bury all else."""
        return self.every < FREQUENT


def process_submissions(may_go_on: MayGoOn) -> Details:
    """Judge and fold in whatever tablets have sent."""
    batch = process_pending(may_go_on)
    return {"done": batch.done, "failed": batch.failed} if batch.done + batch.failed else {}


def apply_overdue_updates(_may_go_on: MayGoOn) -> Details:
    """Apply entity updates that have waited in vain for what was to come before them."""
    now = datetime.now(UTC)
    with Session(db.engine) as session:
        days = get_setting(session, "entity_hold_days")
        if not has_overdue(session, days, now):
            return {}
    with Session(db.engine) as session:
        begin_write(session)
        lock_registry(session)
        count = force_overdue(session, days, now)
        session.commit()
    return {"applied": count}


def unlock(_may_go_on: MayGoOn) -> Details:
    """Open encrypted records whose key has come since."""
    released = unlock_submissions()
    return {"released": released} if released else {}


def exchange(may_go_on: MayGoOn) -> Details:
    """Read from other servers, and tell them what they are to know."""
    return run_due(may_go_on)


def tidy_up(_may_go_on: MayGoOn) -> Details:
    """Forget ended logins, old login failures, the oldest runs, and pieces of files that never became whole."""
    now = datetime.now(UTC)
    with Session(db.engine) as session:
        begin_write(session)
        ended = or_(UserSession.ended_at < now - KEEP_SESSIONS, UserSession.seen_at < now - KEEP_SESSIONS)
        doomed = {
            "sessions": delete(UserSession).where(ended),
            "login_failures": delete(LoginFailure).where(LoginFailure.at < now - KEEP_LOGIN_FAILURES),
            "runs": delete(JobRun).where(JobRun.started_at < now - KEEP_RUNS),
            "peer_runs": delete(PeerRun).where(PeerRun.started_at < now - KEEP_RUNS),
        }
        counts = {name: session.connection().execute(statement).rowcount for name, statement in doomed.items()}
        counts["file_pieces"] = forget_pieces(session, now - KEEP_PIECES, now + BEING_NAMED)
        session.commit()
    return counts


def tidy_exports(_may_go_on: MayGoOn) -> Details:
    """Remove kept exports that are too old, and after an erasure all that were made before it."""
    with Session(db.engine) as session:
        count = find_kept_exports(session).clear()
    return {"exports": count} if count else {}


def remove_unneeded_files(may_go_on: MayGoOn) -> Details:
    """Remove from the disk the files of records that were erased, and others that nobody names."""
    done = remove_files(datetime.now(UTC), may_go_on=may_go_on)
    if done.failed:
        raise FilesLeft
    return {"files": done.files, "bytes": done.bytes} if done.files else {}


def find_unneeded_files(may_go_on: MayGoOn) -> Details:
    """Look through the whole store for files that nobody names; the job above removes them in time."""
    found = note_unneeded(datetime.now(UTC), may_go_on)
    return {"unneeded_files": found} if found else {}


def maintain_database(_may_go_on: MayGoOn) -> Details:
    """Let the database's files let go of what was erased, and keep SQLite's log short and its statistics fresh."""
    maintain(db.engine, datetime.now(UTC))
    return {"database": db.engine.dialect.name}


def exchange_with_centre(may_go_on: MayGoOn) -> Details:
    """On a relay: tell the centre what it has not taken, and take its news, as often as the settings say."""
    settings = current_settings()
    return forward(open_link(settings), may_go_on) if is_due(settings, datetime.now(UTC)) else {}


def link_anew(may_go_on: MayGoOn) -> Details:
    """Weigh all records by the active linkage model, and find what it overlooked; in a process of its own.

    DuckDB and what it needs take some gigabytes for a million records, and a process gives little back before its end.
    """
    with Session(db.engine) as session:
        if find_linking(session) is None:
            return {}
    report = run_command(current_settings(), may_go_on, "link", "run", "--json")
    if not report:
        return {}
    if report["crowded"]:
        log.warning("%d keys have outgrown the linkage model %s: train another", report["crowded"], report["model"])
    told = ("records", "persons", "joined", "parted", "questions", "overlooked", "crowded")
    return {**{name: report[name] for name in told}, "link_reports": _find_reports([report["model"]])}


def weigh_shadows(may_go_on: MayGoOn) -> Details:
    """Weigh all records by each model that reads along: what would it change, were it the active one?"""
    with Session(db.engine) as session:
        shadows = [one.version for one, state in list_models(session) if state == "shadow"]
    runs = (run_command(current_settings(), may_go_on, "link", "run", "--model", one, "--json") for one in shadows)
    weighed = [report["model"] for report in runs if report]
    return {"models": len(weighed), "link_reports": _find_reports(weighed)} if weighed else {}


def _find_reports(versions: Collection[str]) -> dict[str, int]:
    """Where the reports are that the runs of these models have just left."""
    with Session(db.engine) as session:
        return {version: one.id for version, one in read_latest_reports(session).items() if version in versions}


JOBS = (
    # First, so that each start of the process judges what a new key opens.
    Job("unlock", timedelta(hours=1), unlock),
    Job("process", timedelta(seconds=0.25), process_submissions),
    Job("relay", timedelta(seconds=30), exchange_with_centre),
    Job("exchange", timedelta(seconds=30), exchange),
    Job("apply_overdue_updates", timedelta(hours=1), apply_overdue_updates),
    Job("tidy_up", timedelta(hours=1), tidy_up),
    Job("tidy_exports", timedelta(seconds=15), tidy_exports),
    Job("remove_files", timedelta(seconds=15), remove_unneeded_files),
    Job("find_unneeded_files", timedelta(days=1), find_unneeded_files),
    Job("maintain_database", timedelta(days=1), maintain_database),
    Job("link_anew", timedelta(days=1), link_anew),
    Job("weigh_shadows", timedelta(days=1), weigh_shadows),
)


def run_once(app: Flask) -> dict[str, Details]:
    """Do everything once, now; several may do so at the same time."""
    with app.app_context():
        return {job.name: run_job(job) for job in JOBS}


def run_if_due(job: Job, may_go_on: MayGoOn) -> None:
    """Run a job when its time has come by the history, so that nights and restarts lose no run."""
    if job.frequent or _is_due(job, datetime.now(UTC)):
        run_job(job, may_go_on)


def run_job(job: Job, may_go_on: MayGoOn = lambda: True) -> Details:
    """Run a job and write down how it went; a failure is told and never ends the schedule."""
    started = datetime.now(UTC)
    try:
        details = job.run(may_go_on)
        outcome = "done"
    except Exception as error:  # noqa: BLE001 (the schedule outlives whatever a job breaks on)
        details, outcome = {"error": _word_failure(job, error)}, "failed"
    if details or not job.frequent:
        _record(job, started, outcome, details)
    return details


def _word_failure(job: Job, error: Exception) -> str:
    """The error's text may quote data; its type does not."""
    log.error("job %s failed: %s", job.name, type(error).__name__)
    return type(error).__name__


def _is_due(job: Job, now: datetime) -> bool:
    with Session(db.engine) as session:
        last = session.scalar(select(JobRun.started_at).where(JobRun.job == job.name).order_by(JobRun.id.desc()))
    # A run that a fast clock noted for years to come is no reason to wait for them.
    return last is None or not timedelta() <= now - last < job.every


def _record(job: Job, started: datetime, outcome: str, details: Details) -> None:
    try:
        with Session(db.engine) as session:
            begin_write(session)
            _write_run(session, job, started, outcome, details)
            session.commit()
    except SQLAlchemyError as error:
        # Without a database there is no history either; the next run tries again.
        log.error("a run of %s was not recorded: %s", job.name, type(error).__name__)


def _write_run(session: Session, job: Job, started: datetime, outcome: str, details: Details) -> None:
    recent = _find_recent(session, job, started, outcome) if job.frequent else None
    finished = datetime.now(UTC)
    if recent is None:
        session.add(JobRun(job=job.name, started_at=started, finished_at=finished, outcome=outcome, details=details))
        return
    recent.details = {key: _add(recent.details.get(key), value) for key, value in details.items()}
    recent.finished_at = finished


def _find_recent(session: Session, job: Job, started: datetime, outcome: str) -> JobRun | None:
    """The row that sums up this minute's runs with this outcome."""
    recent = select(JobRun).where(JobRun.job == job.name, JobRun.started_at > started - FREQUENT)
    return session.scalar(recent.where(JobRun.outcome == outcome).order_by(JobRun.id.desc()).limit(1))


def _add(before: Any, now: Any) -> Any:
    return before + now if isinstance(before, int) and isinstance(now, int) else now
