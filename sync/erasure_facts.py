"""Erasures as the journal tells them: a server that takes it in erases such a record as soon as the record is here."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from sync.erasure import ErasureFact, check_erasure, describe_erasure, receive_erasure
from sync.models import AwaitedErasure, Erasure, Submission


@dataclass(frozen=True, slots=True)
class ErasedFact:
    """That the answers of a record were erased, told by the record's names and never by row ids."""

    form_id: str
    instance_id: str
    xml_sha256: str
    retained: dict[str, Any]
    reason: str
    erased_at: datetime

    @property
    def erasure(self) -> ErasureFact:
        """What was done to the record."""
        return ErasureFact(self.retained, self.reason, self.erased_at)


_AWAITED = select(AwaitedErasure).where(AwaitedErasure.xml_sha256.in_(bindparam("hashes", expanding=True)))


def read_erased(session: Session) -> Iterator[ErasedFact]:
    """All that were erased here, and those of records that are still to come."""
    here = select(Submission, Erasure).join(Erasure, Erasure.submission_id == Submission.id)
    for row, erasure in session.execute(here.where(Submission.is_draft.is_(False)).order_by(Submission.id)):
        yield ErasedFact(row.form_id, row.instance_id, row.xml_sha256, **asdict(describe_erasure(erasure)))
    for one in session.scalars(select(AwaitedErasure).order_by(AwaitedErasure.xml_sha256)):
        yield ErasedFact(one.form_id, one.instance_id, one.xml_sha256, one.retained, one.reason, one.erased_at)


def receive_erased(session: Session, fact: ErasedFact, now: datetime) -> None:
    """Erase a record that was erased on another server; of one that is not here it waits. Twice is once.

    Raises ErasureRefused for what cannot be read. The caller holds the registry's lock.
    """
    check_erasure(fact.erasure)
    named = {"form_id": fact.form_id, "instance_id": fact.instance_id, "xml_sha256": fact.xml_sha256}
    row = session.scalar(select(Submission).filter_by(**named, is_draft=False))
    if row is not None:
        receive_erasure(session, row, fact.erasure, now)
    elif session.get(AwaitedErasure, named) is None:
        session.add(AwaitedErasure(**asdict(fact)))
    session.flush()


def erase_awaited(session: Session, rows: Sequence[Submission], now: datetime) -> list[Submission]:
    """Erase those of these submissions whose erasure came before them; return the others, which are to be written."""
    if not rows:
        return []
    awaited = {
        (one.form_id, one.instance_id, one.xml_sha256): one
        for one in session.scalars(_AWAITED, {"hashes": [row.xml_sha256 for row in rows]})
    }
    left = []
    for row in rows:
        one = None if row.is_draft else awaited.get((row.form_id, row.instance_id, row.xml_sha256))
        if one is None:
            left.append(row)
            continue
        receive_erasure(session, row, ErasureFact(one.retained, one.reason, one.erased_at), now)
        session.delete(one)
    return left
