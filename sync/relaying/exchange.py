"""One call of a relay at its centre: what it tells is taken in, and it is answered receipts, wishes and news."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy.orm import Session

from sync.models import Relay
from sync.relaying.down import list_down
from sync.relaying.lines import Line, PostLine, ReceiptLine, of_kind
from sync.relaying.receipts import note_receipts
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
    note_receipts(session, relay.site_id, of_kind(lines, ReceiptLine))
    taken = take_up(session, relay, lines, now)
    news = list(islice(list_down(session, relay, now), MOST)) if of_kind(lines, PostLine) else []
    return Answer([*taken.receipts, *news], taken.records, taken.files)
