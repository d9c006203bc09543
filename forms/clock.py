"""The record's own day and zone: what today() and now() were when it was filled. The server's clock is not asked.

The times that the tablet wrote are the best witness; where a form keeps none, the time of arrival must do.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from forms.definition import FormDefinition
from forms.node import Node
from forms.xpath.moments import DAY, MINUTE, Moment, parse_date, parse_date_time

ZONE = re.compile(r"T[\d:.]+(?:(Z)|([+-])(\d\d):?(\d\d)?)$", re.ASCII)
# A rule may have been tested some time before the record was finished, on a clock that was set in between.
CLOCK_TOLERANCE_MS = 15 * MINUTE
WITNESSES = ("end", "start", "today")


@dataclass(frozen=True, slots=True)
class Clock:
    """The moment at which a record is judged, its zone, and other moments at which it may have been filled."""

    now: Moment | None
    offset_ms: int
    also: tuple[Moment, ...] = ()


def find_witnesses(definition: FormDefinition, slots: dict[str, int]) -> dict[str, int]:
    """The slots of the form's `end`, `start` and `today`, as far as it has them."""
    fields = [one for one in definition.fields if one.preload in WITNESSES and one.path in slots]
    return {str(one.preload): slots[one.path] for one in fields}


def read_clock(witnesses: dict[str, int], nodes: list[Node | None], received_at: datetime | None) -> Clock:
    """The clock of a record, from its own `end`, `start` or `today`, else from its arrival."""
    texts = {name: node.text for name, slot in witnesses.items() if (node := nodes[slot]) is not None and node.text}
    offset_ms = next((offset for offset in map(_offset, texts.values()) if offset is not None), 0)
    arrived = None if received_at is None else Moment(round(received_at.timestamp() * 1000) + offset_ms)
    for name in WITNESSES:
        moment = _moment(name, texts.get(name, ""), offset_ms)
        if moment is not None:
            # Without an end nobody knows how long the form stayed open.
            return Clock(moment, offset_ms, (arrived,) if arrived is not None and name != "end" else ())
    return Clock(arrived, offset_ms)


def _offset(text: str) -> int | None:
    zone = ZONE.search(text)
    if zone is None:
        return None
    utc, sign, hours, minutes = zone.groups()
    return 0 if utc else (int(hours) * 60 + int(minutes or 0)) * MINUTE * (1 if sign == "+" else -1)


def _moment(name: str, text: str, offset_ms: int) -> Moment | None:
    if name != "today":
        return parse_date_time(text, offset_ms)
    day = parse_date(text)
    return None if day is None else Moment(day.ms + DAY // 2)


def doubtful_moments(clock: Clock, reads_day: bool) -> tuple[Moment, ...]:
    """The moments at which a failing rule is tried again: a day around for today(), some minutes for now()."""
    if clock.now is None:
        return ()
    width = DAY if reads_day else CLOCK_TOLERANCE_MS
    return (Moment(clock.now.ms - width), Moment(clock.now.ms + width), *clock.also)
