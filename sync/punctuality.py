"""How long records were on their way and by which form versions they were made: read from the newest records of a week.

A sample, not a census: the newest records tell how things stand now, and their number bounds what reading costs.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median, quantiles
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from sync.models import Submission
from sync.publishing import list_open_versions

_DAYS = 7
_RECORDS = 2000


@dataclass(frozen=True, slots=True)
class Lag:
    """Seconds from the end of filling to receipt: the middle one, and the one that a tenth exceeds."""

    median_s: float
    p90_s: float


@dataclass(frozen=True, slots=True)
class Drift:
    """A tablet that still fills an older version of a form than the one that is open."""

    device_id: int
    form_id: str
    version: str
    newest: str


@dataclass(frozen=True, slots=True)
class Sample:
    """The newest records: (site, device, form, version, received, ended), the newest first."""

    rows: Sequence[Row[*tuple[Any, ...]]]

    def lag(self) -> Lag | None:
        """The lag over all of them."""
        return _lag(_seconds(self.rows))

    def lags_by(self, column: str) -> dict[int | None, Lag]:
        """The lag by `site_id` or `device_id`."""
        groups: dict[int | None, list[Row[*tuple[Any, ...]]]] = defaultdict(list)
        for row in self.rows:
            groups[getattr(row, column)].append(row)
        found = {key: _lag(_seconds(rows)) for key, rows in groups.items()}
        return {key: lag for key, lag in found.items() if lag is not None}

    def list_drift(self, session: Session) -> list[Drift]:
        """Tablets whose newest record of a form was made with an older version of it."""
        newest = {one.form.form_id: one.version for one in list_open_versions(session)}
        latest: dict[tuple[int, str], str] = {}
        for row in self.rows:
            if row.device_id is not None and row.form_id in newest:
                latest.setdefault((row.device_id, row.form_id), row.version)
        return sorted(
            (
                Drift(device_id, form_id, version, newest[form_id])
                for (device_id, form_id), version in latest.items()
                if version != newest[form_id]
            ),
            key=lambda one: (one.device_id, one.form_id),
        )


def select_sample(now: datetime) -> Select[*tuple[Any, ...]]:
    """The newest real records of the last days; the caller narrows it to what its reader may know of."""
    columns = ("site_id", "device_id", "form_id", "version", "received_at", "ended_at")
    since = Submission.received_at > now - timedelta(days=_DAYS)
    found = select(*(getattr(Submission, name) for name in columns)).where(since, Submission.is_draft.is_(False))
    return found.order_by(Submission.received_at.desc()).limit(_RECORDS)


def _seconds(rows: Iterable[Row[*tuple[Any, ...]]]) -> list[float]:
    # A clock that is ahead tells no lag.
    timed = (one for one in rows if one.ended_at is not None and one.ended_at < one.received_at)
    return [(one.received_at - one.ended_at).total_seconds() for one in timed]


def _lag(seconds: list[float]) -> Lag | None:
    if not seconds:
        return None
    p90 = quantiles(seconds, n=10, method="inclusive")[8] if len(seconds) > 1 else seconds[0]
    return Lag(median(seconds), p90)
