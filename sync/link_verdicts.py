"""Rows behind linkage: what people decided about records, and what they are asked. Those of records: link_rows.py."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Connection, and_, bindparam, delete, or_, select
from sqlalchemy.orm import aliased

from sync.among import among
from sync.db import add_rows
from sync.link_urgency import Urgency, read_urgency
from sync.linkage.decision import Reason
from sync.models import LinkDecision, LinkQuestion, LinkVerdict, Person, PersonRecord

# The kinds of decisions that links depend on.
LINKING = ("same", "apart", "unlink", "split")


class VerdictRow(NamedTuple):
    """What people decided about two records that are both here; the other one's home and person."""

    record: str
    other: str
    same: bool
    home: int
    person: int


class Asked(NamedTuple):
    """A question about two records by their homes, and the identities that it was found by."""

    one: int
    other: int
    one_identity: int
    other_identity: int
    bits: float
    reason: Reason


_references: BindParameter[list[str]] = bindparam("references", expanding=True)
_question, _verdict = (one.__table__ for one in (LinkQuestion, LinkVerdict))
_other_person, _other_record = aliased(Person), aliased(PersonRecord)
# Decisions that hold: not undone, and confirmed where that was needed.
STANDING = and_(
    LinkDecision.undone_at.is_(None),
    or_(LinkDecision.needs_second.is_(False), LinkDecision.confirmed_at.is_not(None)),
)
# Those of them that links depend on.
IN_FORCE = and_(STANDING, LinkDecision.kind.in_(LINKING))
_VERDICTS = (
    select(_verdict.c.record, _verdict.c.other, LinkDecision.kind, _other_record.home_id, _other_record.person_id)
    .join(LinkDecision, LinkDecision.id == _verdict.c.decision_id)
    .join(_other_person, _other_person.reference == _verdict.c.other)
    .join(_other_record, _other_record.home_id == _other_person.id)
    .where(_verdict.c.record.in_(_references), IN_FORCE)
    .order_by(LinkDecision.decided_at, LinkDecision.uuid)
)
_ANY_VERDICT = select(_verdict.c.decision_id).limit(1)
_ASKED = select(
    *(_question.c[name] for name in ("one_id", "other_id", "one_identity_id", "other_identity_id", "bits", "reason"))
)
_ASKED_OF = _ASKED.where(or_(among(_question.c.one_identity_id), among(_question.c.other_identity_id)))
_FORGET_QUESTION = delete(LinkQuestion).where(
    _question.c.one_id == bindparam("one"), _question.c.other_id == bindparam("another")
)


def has_verdicts(connection: Connection) -> bool:
    """Whether anybody has decided about any records yet."""
    return connection.execute(_ANY_VERDICT).first() is not None


def read_verdicts(connection: Connection, references: Collection[str]) -> list[VerdictRow]:
    """What holds between these records and any other that is here: of two decisions about a pair the later one."""
    if not references:
        return []
    latest: dict[tuple[str, str], VerdictRow] = {}
    for record, other, kind, home, person in connection.execute(_VERDICTS, {"references": list(references)}):
        latest[record, other] = VerdictRow(record, other, kind == "same", home, person)
    return list(latest.values())


def read_questions(connection: Connection, identities: Collection[int]) -> list[Asked]:
    """The open questions that were found by these identities."""
    return [Asked(*row) for row in connection.execute(_ASKED_OF, {"ids": identities})]


def ask(connection: Connection, before: Iterable[Asked], after: Iterable[Asked], now: datetime) -> None:
    """Let these questions stand in place of those; one that stays keeps the time since when it is open."""
    known, wanted = {one[:2]: one for one in before}, {one[:2]: one for one in after}
    gone = [one for ends, one in known.items() if wanted.get(ends) != one]
    new = [one for ends, one in wanted.items() if known.get(ends) != one]
    _forget_questions(connection, gone)
    urgency = read_urgency(connection, [one[:2] for one in new]) if new else {}
    add_rows(connection, LinkQuestion, [_question_row(one, urgency[one[:2]], now) for one in new])


def drop_questions(connection: Connection, identities: Collection[int]) -> None:
    """Forget the questions that were found by these identities, which are to go."""
    _forget_questions(connection, read_questions(connection, identities))


def _question_row(one: Asked, urgency: Urgency, now: datetime) -> dict[str, Any]:
    names = ("one_id", "other_id", "one_identity_id", "other_identity_id", "bits", "reason")
    told = {"opened_at": now, "urgency": urgency.weight, "met_at": urgency.met_at}
    return dict(zip(names, one, strict=True)) | told


def _forget_questions(connection: Connection, gone: Sequence[Asked]) -> None:
    if gone:
        connection.execute(_FORGET_QUESTION, [{"one": one.one, "another": one.other} for one in gone])
