"""Linkage models as the journal tells them: what is in them, and when each was made the active one.

A model is named by its version, which is a hash of its content. It speaks of how frequent names are, and of no person.
Posts and their centre do not tell each other of models: each links by its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from sync.authors import find_author, name_of
from sync.link_models import LinkModelRefused, find_awaited, follow_activations, list_linkings
from sync.linkage.model import LinkModel, parse_model
from sync.models import LinkActivation, LinkModelVersion

# When somebody asked, and who; None for the model that shipped. Then why, and since when it was in force.
Activation = tuple[datetime | None, str | None, str, datetime | None]


@dataclass(frozen=True, slots=True)
class ModelFact:
    """A model that is kept, and each time that it was to be the active one."""

    version: str
    content: str
    added_at: datetime
    added_by: str | None
    activations: list[Activation]


def read_models(session: Session) -> Iterator[ModelFact]:
    """All models that are here, with what was asked of each, the oldest first."""
    asked: dict[int, list[Activation]] = {}
    order = LinkActivation.asked_at.is_not(None), LinkActivation.asked_at, LinkActivation.effective_at
    for one in session.scalars(select(LinkActivation).options(joinedload(LinkActivation.actor)).order_by(*order)):
        told = one.asked_at, name_of(one.actor), one.reason, one.effective_at
        asked.setdefault(one.model_id, []).append(told)
    for row in session.scalars(select(LinkModelVersion).order_by(LinkModelVersion.version)):
        yield ModelFact(row.version, row.content, row.added_at, name_of(row.added_by), asked.get(row.id, []))


def receive_model(session: Session, fact: ModelFact, now: datetime) -> None:
    """Keep a model that another server tells of; if it was made the active one last of all, it becomes so here.

    In any order with other models, and twice is once. Raises LinkageRefused or LinkModelRefused for what is no model,
    or not this one. The caller holds the registry's lock (registry.lock_registry).
    """
    model = parse_model(fact.content)
    if model.version != fact.version:
        raise LinkModelRefused("link_model_other", version=fact.version)
    # A server has a model of its own from the first, and that one is the first to be superseded.
    list_linkings(session.connection(), now)
    before = find_awaited(session)
    row = _keep(session, model, fact, now)
    for told in fact.activations:
        _receive_activation(session, row, told, now)
    session.flush()
    follow_activations(session, before, now)


def _keep(session: Session, model: LinkModel, fact: ModelFact, now: datetime) -> LinkModelVersion:
    row = session.scalar(select(LinkModelVersion).where(LinkModelVersion.version == model.version))
    if row is None:
        row = LinkModelVersion(version=model.version, content=model.to_json(), added_at=fact.added_at, kept=False)
        session.add(row)
    if fact.added_at <= row.added_at:
        author = find_author(session, fact.added_by, now) if fact.added_by else None
        row.added_at, row.added_by = fact.added_at, author
    session.flush()
    return row


def _receive_activation(session: Session, row: LinkModelVersion, told: Activation, now: datetime) -> None:
    asked_at, name, reason, effective_at = told
    known = session.scalar(select(LinkActivation).filter_by(model_id=row.id, asked_at=asked_at))
    if known is None:
        author = find_author(session, name, now) if name else None
        known = LinkActivation(model=row, asked_at=asked_at, actor=author, reason=reason, effective_at=effective_at)
        session.add(known)
    elif effective_at is not None:
        known.effective_at = min(known.effective_at or effective_at, effective_at)
