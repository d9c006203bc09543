"""The loop around sync/processing.py: reads a batch, judges it outside of any transaction, writes it in short ones."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from server.extensions import attachment_store, db
from sync.db import begin_write
from sync.processing import Verdict, Work, apply_verdict, judge, list_work, record_failure

BATCH = 100
# Tablets wait for SQLite's write lock with their POST, so nobody may hold it for longer.
WRITE_SECONDS = 0.004


@dataclass(slots=True)
class Batch:
    """How many submissions went a step further, and for how many processing broke."""

    done: int = 0
    failed: int = 0

    def __add__(self, other: "Batch") -> "Batch":
        return Batch(self.done + other.done, self.failed + other.failed)


def process_pending() -> Batch:
    """Process until nothing is due; commits as it goes."""
    total = Batch()
    while (batch := process_batch()).done + batch.failed:
        total += batch
    return total


def process_batch(limit: int = BATCH) -> Batch:
    """Process what is due, at most `limit` submissions; a broken one never blocks the others."""
    with Session(db.engine) as session:
        work = list_work(session, attachment_store(), datetime.now(UTC), limit)
    verdicts: list[Verdict] = []
    failures: list[tuple[Work, Exception]] = []
    for one in work:
        try:
            verdicts.append(judge(one))
        except Exception as error:  # noqa: BLE001 (whatever a record breaks, it is kept, tried again and shown)
            failures.append((one, error))
    failures += _write_all(verdicts)
    for broken in failures:
        _write_failure(*broken)
    return Batch(len(work) - len(failures), len(failures))


def _write_all(verdicts: Sequence[Verdict]) -> list[tuple[Work, Exception]]:
    failures: list[tuple[Work, Exception]] = []
    todo = list(reversed(verdicts))
    while todo:
        with Session(db.engine) as session:
            begin_write(session)
            until = time.monotonic() + WRITE_SECONDS
            while todo and time.monotonic() < until:
                failures += _write_one(session, todo.pop())
            session.commit()
    return failures


def _write_one(session: Session, verdict: Verdict) -> list[tuple[Work, Exception]]:
    try:
        with session.begin_nested():
            apply_verdict(session, verdict, datetime.now(UTC))
    except Exception as error:  # noqa: BLE001 (the savepoint undid it; the others go on)
        return [(verdict.work, error)]
    return []


def _write_failure(work: Work, error: Exception) -> None:
    with Session(db.engine) as session:
        begin_write(session)
        record_failure(session, work.id, error, datetime.now(UTC))
        session.commit()
