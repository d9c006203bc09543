"""Whether the store of files is this database's: both keep the same random mark.

Another server that keeps its files in the same store knows none of ours, nor we of its: each would remove what the
other has as strays.
"""

import logging
from datetime import datetime
from functools import partial
from uuid import uuid4

from sqlalchemy.orm import Session

from server.extensions import attachment_store
from server.transactions import Transactions
from sync.freed_files import EVER, count_known, in_pieces
from sync.models import Setting

log = logging.getLogger(__name__)

_MARK = "store"
# Of files that are its own alone a server has a row for all but a few, whose senders were cut off.
_FEW = 0.02
_ours = Transactions()


def is_own_store() -> bool:
    """Tell whether database and store are known to belong together."""
    try:
        found = attachment_store().read_mark()
    except OSError as error:
        log.error("the mark of the store of files cannot be read: %s", error.strerror)
        return False
    return found is not None and found == _ours.read(_read_mark)


def pair_store(now: datetime) -> None:
    """Let a store that has no mark yet have the database's, unless files of others are there.

    A mark that is there already is taken over by nobody: it may be that of a server which began on the same day.
    """
    mine, found = _ours.read(_read_mark), attachment_store().read_mark()
    if mine is not None and mine == found:
        return
    known, unknown = _count_files()
    if found or unknown > (known + unknown) * _FEW:
        log.error(
            "the store of files is another server's, or has files of one: of %d in %d this database knows nothing. Let "
            "each server have a store of its own, or if no other uses this one, call `teral files tidy --claim`. Until "
            "then what nobody ever named stays.",
            unknown,
            known + unknown,
        )
    elif known:
        _mark(mine or uuid4().hex, now)


def claim_store(now: datetime) -> None:
    """Let the store be this database's, as somebody says who knows that no other server keeps its files there."""
    _mark(uuid4().hex, now)


def _mark(mark: str, now: datetime) -> None:
    # The database first: a store without a mark takes the database's the next time.
    _ours.write(partial(_note_mark, mark=mark, now=now))
    attachment_store().write_mark(mark)


def _read_mark(session: Session) -> str | None:
    row = session.get(Setting, _MARK)
    return str(row.value) if row is not None else None


def _note_mark(session: Session, mark: str, now: datetime) -> None:
    session.merge(Setting(name=_MARK, value=mark, changed_at=now))


def _count_files() -> tuple[int, int]:
    """How many of all files in the store have a row, and how many none."""
    known = total = 0
    for names in attachment_store().list_idle(EVER, EVER):
        for some in in_pieces(names):
            known += _ours.read(partial(count_known, names=some))
        total += len(names)
    return known, total - known
