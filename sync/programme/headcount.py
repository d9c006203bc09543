"""The head-count of an event: its living are those who arrived, were taken elsewhere, or refused. Pure.

Dead and missing stand apart. The numbers are read from the database in headcount_rows.py.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

HeadcountState = Literal["closed", "young", "explained", "open"]


@dataclass(frozen=True, slots=True)
class Headcount:
    """One event and its numbers; None is a number that cannot be read.

    `disputed`: tablets gave several values of something, and nobody has chosen yet.
    """

    uuid: str
    kind: str
    site_code: str
    at: datetime | None
    living: int | None
    arrivals: int
    elsewhere: int | None
    refused: int | None
    dead: int | None
    missing: int | None
    disputed: bool = False

    @property
    def numbers(self) -> str:
        """What the equation is made of, as one text: what an explanation is said of."""
        numbers = (self.living, self.arrivals, self.elsewhere, self.refused)
        return " ".join("?" if one is None else str(one) for one in numbers)

    @property
    def gap(self) -> int | None:
        """How many living people nobody accounts for; below zero too many are accounted for, None is not known."""
        if self.living is None or self.elsewhere is None or self.refused is None:
            return None
        return self.living - self.arrivals - self.elsewhere - self.refused

    def find_state(self, explained: Collection[str], now: datetime, patience: timedelta) -> HeadcountState:
        """Say whether somebody must look: the count does not close, is old enough, and nobody explained these numbers.

        An explanation covers the numbers that it was shown: with others the question is open again. An event whose day
        cannot be read is old.
        """
        if self.gap == 0:
            return "closed"
        if self.numbers in explained:
            return "explained"
        return "young" if self.at is not None and now - self.at < patience else "open"


def read_headcount(
    uuid: str, site_code: str, properties: Mapping[str, str], arrivals: int, *, disputed: bool
) -> Headcount:
    """The head-count that an event's properties and the number of its stays tell."""
    return Headcount(
        uuid=uuid,
        kind=properties.get("type", ""),
        site_code=site_code,
        at=_read_moment(properties.get("date", "")),
        living=_read_count(properties.get("n_vivants", "")) if properties.get("n_vivants") else None,
        arrivals=arrivals,
        elsewhere=_read_count(properties.get("n_ailleurs", "")),
        refused=_read_count(properties.get("n_refus", "")),
        dead=_read_count(properties.get("n_morts", "")),
        missing=_read_count(properties.get("n_disparus", "")),
        disputed=disputed,
    )


def _read_count(text: str) -> int | None:
    """A number of people; nobody said one is nobody."""
    if not text:
        return 0
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else None


def _read_moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        # Senegal's clocks show UTC; a day or an hour without a zone is one of theirs.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
