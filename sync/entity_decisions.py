"""A person's word about values of an entity between which the policy leaves the choice to a human. All reversible.

A decision is a fact beside what submissions say: it outranks the values that the person was shown, and no others
(branches.py), so a value that comes later asks again.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.errors import N_, FormsError
from sync.audit import add_audit_event
from sync.entity_fold import fold_whole
from sync.models import Entity, EntityConflict, EntityDecision
from sync.registry import lock_registry
from sync.told import widths_of

LONGEST = 4000
_LONGEST_KEY = widths_of(EntityDecision)["waits_for"]


class EntityDecisionRefused(FormsError):
    """A decision that cannot be taken as it was given."""

    messages = {
        "entity_conflict_changed": N_("What you were to decide has changed meanwhile. Look at it again."),
        "entity_value_long": N_("At most %(most)s characters are possible here."),
        "entity_decision_undone": N_("This decision was already undone."),
    }


@dataclass(frozen=True, slots=True)
class DecisionFact:
    """A decision as every server tells it: by names, never by row ids."""

    uuid: str
    list_name: str
    entity: str
    property_name: str
    value: str
    shown: Sequence[tuple[str, str]]
    shown_version: int
    decided_at: datetime
    undone_at: datetime | None = None


def conflict_token(conflict: EntityConflict) -> str:
    """What a page hands back with the decision, so that nobody decides about values that they did not see."""
    text = json.dumps([conflict.property_name, conflict.candidates], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def decide_conflict(
    session: Session,
    entity: Entity,
    property_name: str,
    value: str,
    token: str,
    *,
    actor_id: int | None,
    now: datetime,
    reason: str = "",
) -> EntityDecision:
    """Let a value stand, one of the candidates or another, or raise EntityDecisionRefused if they are others by now."""
    lock_registry(session)
    conflict = session.get(EntityConflict, (entity.id, property_name), populate_existing=True)
    if conflict is None or conflict_token(conflict) != token:
        raise EntityDecisionRefused("entity_conflict_changed")
    _check_length(value, LONGEST)
    _check_length(reason, LONGEST)
    session.refresh(entity)
    decision = EntityDecision(
        entity_id=entity.id,
        uuid=str(uuid4()),
        property_name=property_name,
        value=value.strip().replace("\0", ""),
        shown=conflict.candidates,
        shown_version=entity.version,
        reason=reason.strip(),
        actor_id=actor_id,
        decided_at=now,
    )
    session.add(decision)
    _fold_anew(session, entity, now)
    add_audit_event(session, actor_id, "entity.decided", f"entity:{entity.id}", now, property=property_name)
    return decision


def _check_length(text: str, most: int) -> None:
    if len(text) > most:
        raise EntityDecisionRefused("entity_value_long", most=most)


def undo_decision(session: Session, decision: EntityDecision, *, actor_id: int | None, now: datetime) -> None:
    """Take a decision back: what it was about is open again, or raise EntityDecisionRefused if it is back already."""
    lock_registry(session)
    session.refresh(decision)
    if decision.undone_at is not None:
        raise EntityDecisionRefused("entity_decision_undone")
    decision.undone_at, decision.undone_by_id = now, actor_id
    _fold_anew(session, decision.entity, now)
    details = {"property": decision.property_name}
    add_audit_event(session, actor_id, "entity.decision_undone", f"entity:{decision.entity_id}", now, **details)


def receive_decision(session: Session, fact: DecisionFact, now: datetime) -> None:
    """Take in a decision that was taken elsewhere. It waits for the records that it speaks of; twice is once.

    Raises EntityDecisionRefused for one that nobody could take here.
    """
    _check_length(fact.value, LONGEST)
    for key, _value in fact.shown:
        _check_length(key, _LONGEST_KEY)
    lock_registry(session)
    entity = get_entity(session, fact.list_name, fact.entity)
    decision = session.scalar(select(EntityDecision).where(EntityDecision.uuid == fact.uuid))
    if decision is None:
        decision = EntityDecision(
            entity_id=entity.id,
            uuid=fact.uuid,
            property_name=fact.property_name,
            value=fact.value,
            shown=[list(one) for one in fact.shown],
            shown_version=fact.shown_version,
            decided_at=fact.decided_at,
        )
        session.add(decision)
    decision.undone_at = decision.undone_at or fact.undone_at
    _fold_anew(session, entity, now)


def describe_decision(decision: EntityDecision) -> DecisionFact:
    """The decision as another server can take it in."""
    return DecisionFact(
        uuid=decision.uuid,
        list_name=decision.entity.list_name,
        entity=decision.entity.uuid,
        property_name=decision.property_name,
        value=decision.value,
        shown=[(key, value) for key, value in decision.shown],
        shown_version=decision.shown_version,
        decided_at=decision.decided_at,
        undone_at=decision.undone_at,
    )


def get_entity(session: Session, list_name: str, uuid: str) -> Entity:
    """The entity of this name; where nothing was said of it yet, one that does not exist."""
    entity = session.scalar(select(Entity).where(Entity.list_name == list_name, Entity.uuid == uuid))
    if entity is None:
        entity = Entity(list_name=list_name, uuid=uuid, properties={})
        session.add(entity)
        session.flush()
    return entity


def _fold_anew(session: Session, entity: Entity, now: datetime) -> None:
    session.flush()
    fold_whole(session, [entity.id], now)
    session.expire(entity)
