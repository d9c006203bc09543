"""One call of a relay at its centre: what it tells is taken in, and it is answered receipts, wishes and news."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy.orm import Session

from sync.models import Relay
from sync.relaying.down import list_down, note_taken
from sync.relaying.lines import HeadLine, Line, ReceiptLine, RelayLine, of_kind
from sync.relaying.receipts import forget_owed, list_owed
from sync.relaying.up import take_up

# So few that a line of a few kilobytes a second carries them within the minute that a link may last.
MOST = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """Lines for the relay; the records (by SHA-256) that the centre lacks, and of files how much of each is here."""

    lines: list[Line]
    records: list[str]
    files: dict[str, int]


def answer_relay(session: Session, relay: Relay, lines: Sequence[Line], now: datetime) -> Answer:
    """Take in what a relay tells, and answer it. News come with the relay's own line: they cost time to find."""
    note_taken(session, relay, of_kind(lines, ReceiptLine))
    for head in of_kind(lines, HeadLine):
        forget_owed(session, relay.site_id, head.took or relay.enrolled_at)
    taken = take_up(session, relay, lines, now)
    if not of_kind(lines, RelayLine):
        return Answer(list(taken.receipts), taken.records, taken.files)
    news = islice(list_down(session, relay, now), MOST)
    receipts = [*taken.receipts, *list_owed(session, relay.site_id)]
    return Answer([*receipts, HeadLine(now, relay.told_at), *news], taken.records, taken.files)
