"""Erasures on their way down: of records that a relay told of, and of what it was given of entities.

Those of a post go up with its records (words.py). Until a relay confirmed one, the centre shows that it still has to.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sync.audit import add_audit_event
from sync.erasure import ErasureFact, describe_erasure, forget_served, receive_erasure
from sync.models import Entity, EntityContribution, EntityGround, Erasure, Relay, RelayedEntity, RelayedRecord
from sync.registry import lock_registry
from sync.relaying.belonging import find_record
from sync.relaying.lines import EntityLine, ErasureLine
from sync.relaying.receipts import forget_receipt, list_untold

_RECORDS = (
    select(RelayedRecord, Erasure)
    .join(Erasure, Erasure.submission_id == RelayedRecord.submission_id)
    .where(RelayedRecord.is_erased.is_(False))
    .order_by(Erasure.submission_id)
)
# Of most entities that were erased every relay knows by now: they are counted, and not read.
_erased = (
    select(EntityContribution.entity_id, func.count(EntityContribution.submission_id.distinct()).label("records"))
    .join(Erasure, Erasure.submission_id == EntityContribution.submission_id)
    .group_by(EntityContribution.entity_id)
    .subquery()
)
_OWED = (
    select(RelayedEntity, EntityContribution.submission_id, Erasure.erased_at)
    .join(_erased, _erased.c.entity_id == RelayedEntity.entity_id)
    .where(_erased.c.records > RelayedEntity.erasures)
    .join(EntityContribution, EntityContribution.entity_id == RelayedEntity.entity_id)
    .join(Erasure, Erasure.submission_id == EntityContribution.submission_id)
    .order_by(Erasure.erased_at)
)


@dataclass(frozen=True, slots=True)
class Unerased:
    """Of how many records a relay has not confirmed the erasure, and since when the oldest is due."""

    count: int
    since: datetime


def list_erasures(session: Session, relay: Relay) -> list[ErasureLine]:
    """The records of this relay that were erased here, as far as it has not confirmed it."""
    return [_describe(*row) for row in session.execute(_RECORDS.where(RelayedRecord.relay_id == relay.site_id))]


def _describe(known: RelayedRecord, erasure: Erasure) -> ErasureLine:
    return ErasureLine(known.form_id, known.instance_id, known.xml_sha256, **asdict(describe_erasure(erasure)))


def list_erased_entities(session: Session) -> set[int]:
    """The entities of which the answers of some record were erased."""
    erased = select(EntityContribution.entity_id).join(
        Erasure, Erasure.submission_id == EntityContribution.submission_id
    )
    return set(session.scalars(erased.distinct()))


def read_erased(session: Session, entity: Entity) -> tuple[int, list[str]]:
    """Of how many records of an entity the answers were erased, and the properties that stay whichever it was."""
    mine = select(EntityContribution.submission_id).where(EntityContribution.entity_id == entity.id)
    erased = session.scalars(select(Erasure.retained).where(Erasure.submission_id.in_(mine)))
    kept = [set(one.get("keep", {}).get("entity", ())) for one in erased]
    return len(kept), sorted(set.intersection(*kept)) if kept else []


def list_owed_entities(session: Session) -> list[tuple[RelayedEntity, dict[int, datetime]]]:
    """The entities that relays were given before something of them was erased, and have not forgotten since.

    With the records that were erased, and when.
    """
    found: dict[RelayedEntity, dict[int, datetime]] = defaultdict(dict)
    for one, submission_id, erased_at in session.execute(_OWED):
        found[one][submission_id] = erased_at
    return [(one, dict(list(erased.items())[one.erasures :])) for one, erased in found.items()]


def confirm_erasures(session: Session, relay: Relay) -> None:
    """Note which records the relay has erased, by the receipts that came from it."""
    found = session.execute(_RECORDS.where(RelayedRecord.relay_id == relay.site_id)).all()
    lines = [_describe(known, erasure) for known, erasure in found]
    untold = {one.name for one in list_untold(session, relay.site_id, lines)}
    for (known, _erasure), line in zip(found, lines, strict=True):
        known.is_erased = line.name not in untold
    session.flush()


def hear_erased(session: Session, known: RelayedRecord, erasure: Erasure, *, is_erased: bool) -> None:
    """Note that a record is erased at the post as well, or see that it is told to: it may live on in an old copy."""
    known.is_erased = is_erased
    if not is_erased:
        forget_receipt(session, known.relay_id, _describe(known, erasure).name)


def count_unerased(session: Session) -> dict[int, Unerased]:
    """What each relay has still to erase; nothing of those that have nothing to."""
    due: dict[int, dict[int, datetime]] = defaultdict(dict)
    for known, erasure in session.execute(_RECORDS):
        due[known.relay_id][erasure.submission_id] = erasure.erased_at
    for one, erased in list_owed_entities(session):
        due[one.relay_id] |= erased
    return {relay_id: Unerased(len(erased), min(erased.values())) for relay_id, erased in due.items()}


def take_erasures(session: Session, lines: Sequence[ErasureLine], now: datetime) -> None:
    """Erase the records of which the centre tells; twice is once, and of one that is not here nothing is left to do.

    Raises ErasureRefused for what cannot be read.
    """
    if lines:
        lock_registry(session)
    for line in lines:
        record = find_record(session, line.xml_sha256, line.form_id, line.instance_id)
        if record is not None:
            receive_erasure(session, record, ErasureFact(line.retained, line.reason, line.erased_at), now)
    session.flush()


def forget_erased(session: Session, ground: EntityGround, line: EntityLine, now: datetime) -> None:
    """Forget what was served of an entity before the centre erased something of it, once for each erasure."""
    count, keep = line.erased or (0, [])
    if count > ground.erasures:
        ground.erasures = count
        forget_served(session, [ground.entity_id], keep)
        add_audit_event(session, None, "entity.erased", f"entity:{ground.entity_id}", now)
