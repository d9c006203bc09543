"""The loop around sync/processing.py: claims a batch, judges it outside of any transaction, writes it in short ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain

from sqlalchemy.orm import Session

from server.extensions import attachment_store, db
from server.keys import current_keys
from sync.db import begin_write, is_waited_for
from sync.judging import Verdict, Work, judge
from sync.link_fold import is_linking_due, link_some
from sync.processing import apply_verdicts, claim_work, get_bare_work, is_work_due, list_work, record_failure
from sync.registry import lock_registry

BATCH = 50
# How many verdicts are written together at first (see Pace). On PostgreSQL nobody waits for them, and each statement
# costs more than what is in it.
WRITTEN_AT_ONCE = {"sqlite": 4, "postgresql": BATCH}


class Pace:
    """How many verdicts are written together: few while somebody waits for the write lock, else ever more, up to BATCH.

    Tablets wait for SQLite's lock with their POST, and the fewest hold it for some milliseconds only. But each
    transaction costs a flush of the disk and a score of statements, whatever is in it: one record in it takes twice as
    long as one of fifty.
    """

    def __init__(self, dialect: str) -> None:
        self._fewest = self.size = WRITTEN_AT_ONCE[dialect]

    def keep(self, session: Session) -> None:
        """Look, before a piece is committed, whether anybody waits for that."""
        self.size = self._fewest if is_waited_for(session) else min(2 * self.size, BATCH)


@dataclass(slots=True)
class Batch:
    """How many submissions went a step further, and for how many processing broke."""

    done: int = 0
    failed: int = 0

    def __add__(self, other: "Batch") -> "Batch":
        return Batch(self.done + other.done, self.failed + other.failed)


def process_pending(may_go_on: Callable[[], bool] = lambda: True) -> Batch:
    """Process until nothing is due or it may not go on; commits as it goes."""
    total, pace = Batch(), Pace(db.engine.dialect.name)
    while may_go_on() and (batch := process_batch(pace)).done + batch.failed:
        total += batch
    while may_go_on() and link_next():
        pass
    return total


def link_next() -> bool:
    """Read, or decide anew, some records after the prior or the model changed; return whether any were left."""
    with Session(db.engine) as session:
        if not is_linking_due(session):
            return False
        session.rollback()
        begin_write(session)
        lock_registry(session)
        linked = link_some(session, datetime.now(UTC))
        session.commit()
    return linked


def process_batch(pace: Pace, limit: int = BATCH) -> Batch:
    """Process what is due, at most `limit` submissions; a broken one never blocks the others."""
    ids = _claim(limit)
    work, failures = _gather(ids)
    # Judging a few, then writing them, leaves the lock free most of the time.
    while work:
        group, work = work[: pace.size], work[pace.size :]
        failures += _process(group, pace)
    for broken in failures:
        _write_failure(*broken)
    return Batch(len(ids) - len(failures), len(failures))


def _claim(limit: int) -> Sequence[int]:
    now = datetime.now(UTC)
    with Session(db.engine) as session:
        if not is_work_due(session, now):
            return []
        session.rollback()
        begin_write(session)
        ids = claim_work(session, now, limit)
        session.commit()
        return ids


_Failures = list[tuple[Work, Exception]]


def _gather(ids: Sequence[int]) -> tuple[list[Work], _Failures]:
    """All that judging these needs; where that breaks, each alone, so that nobody suffers for another."""
    with Session(db.engine) as session:
        try:
            return (list_work(session, attachment_store(), ids, current_keys()) if ids else []), []
        except Exception as error:  # noqa: BLE001 (whatever a record breaks, it is kept, tried again and shown)
            session.rollback()
            if len(ids) == 1:
                return [], [(get_bare_work(session, ids[0]), error)]
    works, failures = zip(*(_gather([one]) for one in ids), strict=True)
    return list(chain.from_iterable(works)), list(chain.from_iterable(failures))


def _process(group: Sequence[Work], pace: Pace) -> _Failures:
    verdicts: list[Verdict] = []
    failures: _Failures = []
    for one in group:
        try:
            verdicts.append(judge(one))
        except Exception as error:  # noqa: BLE001 (whatever a record breaks, it is kept, tried again and shown)
            failures.append((one, error))
    return failures + _write(verdicts, pace)


def _write(verdicts: Sequence[Verdict], pace: Pace) -> _Failures:
    """All in one transaction; if that breaks, each in one of its own, so that nobody suffers for another."""
    try:
        _write_together(verdicts, pace)
    except Exception as error:  # noqa: BLE001 (see above)
        if len(verdicts) == 1:
            return [(verdicts[0].work, error)]
        return [failure for one in verdicts for failure in _write([one], pace)]
    return []


def _write_together(verdicts: Sequence[Verdict], pace: Pace) -> None:
    if not verdicts:
        return
    with Session(db.engine) as session:
        begin_write(session)
        apply_verdicts(session, verdicts, datetime.now(UTC))
        pace.keep(session)
        session.commit()


def _write_failure(work: Work, error: Exception) -> None:
    with Session(db.engine) as session:
        begin_write(session)
        record_failure(session, work, error, datetime.now(UTC))
        session.commit()
