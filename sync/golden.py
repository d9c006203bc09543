"""Golden values: what a person of several records says, each property with its source. A view, kept nowhere.

A value that somebody set stays. Else what a document backs, then what most records say, then the latest. Of whose
records it is made is the caller's choice: a reader's golden values come of the records that they may read.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.definition import PERSON_PROPERTIES
from sync.link_verdicts import STANDING
from sync.models import LinkDecision, LinkVerdict, PersonRecord

GOLDEN = tuple(name for name in PERSON_PROPERTIES if name != "mrz")
# What a passport or card tells; no document knows a telephone.
_ON_DOCUMENTS = {
    "given_names", "family_name", "sex", "birth_date", "nationality", "birth_place", "document_type",
    "document_issuer", "document_number",
}  # fmt: skip

_AGES = range(131)

Ground = Literal["manual", "document", "frequent", "latest", "only"]


@dataclass(frozen=True, slots=True)
class Source:
    """One record as golden values are made of it. `order` is the one in which records were made (end, instanceID)."""

    reference: str
    order: tuple[Any, ...]
    values: Mapping[str, Any]

    @property
    def documented(self) -> bool:
        """Whether a document stands behind what the record says."""
        return bool(self.values.get("document_number"))


@dataclass(frozen=True, slots=True)
class Manual:
    """A value that somebody set, by a decision."""

    value: str
    decision: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Golden:
    """A value with why it is the one, the records that say it, and how many say another."""

    value: Any
    ground: Ground
    references: Sequence[str]
    others: int
    decision: str | None = None


def read_golden(session: Session, records: Sequence[PersonRecord]) -> dict[str, Golden]:
    """The golden values of a person, made of these records of theirs and of what somebody set by one of them."""
    sources = [Source(one.reference, order_of(one), {name: getattr(one, name) for name in GOLDEN}) for one in records]
    return choose_golden(sources, _read_manual(session, [one.reference for one in records]))


def order_of(record: PersonRecord) -> tuple[Any, ...]:
    """Which of two records was made first, the same on every server."""
    return place_in_time(record.ended_at, record.submission.instance_id, record.path)


def place_in_time(ended_at: datetime | None, instance_id: str, path: str) -> tuple[bool, datetime, str, str]:
    """The order in which records were made, those that tell no time last."""
    return ended_at is None, ended_at or datetime.min.replace(tzinfo=UTC), instance_id, path


def _read_manual(session: Session, references: Sequence[str]) -> dict[str, Manual]:
    """What somebody set, of two values of one property the later one."""
    named = select(LinkVerdict.decision_id).where(LinkVerdict.record.in_(references))
    standing = select(LinkDecision).where(LinkDecision.id.in_(named), LinkDecision.kind == "value", STANDING)
    rows = session.scalars(standing.order_by(LinkDecision.decided_at, LinkDecision.uuid))
    # A value that was erased with its record says nothing any more.
    return {one.property_name or "": Manual(one.value, one.uuid, one.decided_at) for one in rows if one.value}


def parse_golden(name: str, text: str, today: date) -> str:
    """A value in the one way in which records write it, or ValueError where it can be none of this property.

    Which codes there are is the caller's knowledge.
    """
    given = text.replace("\0", "").strip()
    if name == "birth_date":
        day = date.fromisoformat(given)
        return _check(day.isoformat(), day <= today and today.year - day.year in _AGES)
    if name == "age":
        return _check(str(int(given)), int(given) in _AGES)
    return _check(given, bool(given))


def _check(value: str, holds: bool) -> str:
    if not holds:
        raise ValueError("no such value")
    return value


def choose_golden(sources: Sequence[Source], manual: Mapping[str, Manual]) -> dict[str, Golden]:
    """The golden value of each property that anybody said anything of. The order of the sources changes nothing."""
    ordered = sorted(sources, key=lambda one: one.order)
    chosen = {name: _choose(name, ordered, manual.get(name)) for name in GOLDEN}
    return {name: one for name, one in chosen.items() if one is not None}


def _choose(name: str, sources: Sequence[Source], manual: Manual | None) -> Golden | None:
    telling = [one for one in sources if one.values.get(name) not in (None, "")]
    if manual is not None:
        agreeing = [one.reference for one in telling if str(one.values[name]) == manual.value]
        return Golden(manual.value, "manual", agreeing, len(telling) - len(agreeing), manual.decision)
    if not telling:
        return None
    backed = [one for one in telling if one.documented] if name in _ON_DOCUMENTS else []
    value, most = _find_most(name, backed or telling)
    references = [one.reference for one in telling if one.values[name] == value]
    return Golden(value, _ground(len(telling), bool(backed), most), references, len(telling) - len(references))


def _find_most(name: str, telling: Sequence[Source]) -> tuple[Any, bool]:
    """What most of them say, of as many the latest; and whether it was more than any other."""
    counts = Counter(one.values[name] for one in telling)
    most = max(counts.values())
    latest = next(one.values[name] for one in reversed(telling) if counts[one.values[name]] == most)
    return latest, list(counts.values()).count(most) == 1


def _ground(telling: int, backed: bool, most: bool) -> Ground:
    if telling == 1:
        return "only"
    if backed:
        return "document"
    return "frequent" if most else "latest"
