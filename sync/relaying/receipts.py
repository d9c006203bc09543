"""What a peer took of what we told it, so that each line is told until it arrived and no longer.

Peer 0 is the centre, any other the relay of that site.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from sync.models import OwedReceipt, PeerReceipt
from sync.relaying.lines import Line, ReceiptLine, digest_of, receipt_for

CENTRE = 0
_AT_ONCE = 500
_TAKEN = select(PeerReceipt.name, PeerReceipt.digest).where(
    PeerReceipt.peer_id == bindparam("peer"), PeerReceipt.name.in_(bindparam("names", expanding=True))
)
_KEY = ["peer_id", "name"]
_sqlite, _postgresql = insert_sqlite(PeerReceipt), insert_postgresql(PeerReceipt)
_NOTE = {
    "sqlite": _sqlite.on_conflict_do_update(index_elements=_KEY, set_={"digest": _sqlite.excluded.digest}),
    "postgresql": _postgresql.on_conflict_do_update(index_elements=_KEY, set_={"digest": _postgresql.excluded.digest}),
}


def list_untold(session: Session, peer_id: int, lines: Iterable[Line]) -> Iterator[Line]:
    """The lines that the peer has not taken, or took when they said something else; in their order."""
    rest = iter(lines)
    while some := list(islice(rest, _AT_ONCE)):
        receipts = [receipt_for(one) for one in some]
        asked = {"peer": peer_id, "names": [one.line_name for one in receipts]}
        taken = {row.name: row.digest for row in session.execute(_TAKEN, asked)}
        yield from (line for line, one in zip(some, receipts, strict=True) if taken.get(one.line_name) != one.digest)


def owe_receipts(session: Session, peer_id: int, receipts: Sequence[ReceiptLine], now: datetime) -> None:
    """Keep receipts that no answer carries back, for the next bundles."""
    for one in receipts:
        session.merge(OwedReceipt(peer_id=peer_id, name=one.line_name, digest=one.digest, owed_at=now))
    session.flush()


def list_owed(session: Session, peer_id: int) -> list[ReceiptLine]:
    """The receipts that go with the next bundle."""
    owed = session.scalars(select(OwedReceipt).filter_by(peer_id=peer_id).order_by(OwedReceipt.name))
    return [ReceiptLine(one.name, one.digest) for one in owed]


def forget_owed(session: Session, peer_id: int, took: datetime) -> None:
    """Let go of the receipts that were in a bundle which the peer has taken."""
    mine = (OwedReceipt.peer_id == peer_id) & (OwedReceipt.owed_at <= took)
    session.execute(delete(OwedReceipt).where(mine))


def forget_receipt(session: Session, peer_id: int, line_name: str) -> None:
    """Tell the line of this name again: what the peer says shows that it has not taken it, or no longer."""
    named = (PeerReceipt.peer_id == peer_id) & (PeerReceipt.name == digest_of(line_name))
    session.execute(delete(PeerReceipt).where(named))


def note_receipts(session: Session, peer_id: int, receipts: Sequence[ReceiptLine]) -> None:
    """Note what the peer took; twice is once."""
    if not receipts:
        return
    latest = {one.line_name: one.digest for one in receipts}
    rows = [{"peer_id": peer_id, "name": name, "digest": digest} for name, digest in latest.items()]
    session.connection().execute(_NOTE[session.get_bind().dialect.name], rows)
