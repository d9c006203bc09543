"""Model versions in the registry: which one links, which ones only read along, and how one becomes the other.

A model reads every record before it is made the active one; persons are then decided anew, some at a time
(link_fold.py). What a model is: sync/linkage/model.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, Select, case, delete, func, insert, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from forms.errors import N_, FormsError
from sync.audit import add_audit_event
from sync.linkage.component import find_floor
from sync.linkage.decision import Rules
from sync.linkage.model import LinkModel, default_model, find_size, parse_model
from sync.linkage.score import Scorer
from sync.models import (
    LinkActivation,
    LinkIdentity,
    LinkKey,
    LinkMember,
    LinkModelVersion,
    LinkPair,
    LinkProgress,
    LinkQuestion,
    LinkWord,
    PersonRecord,
)

_ROW = 1


class LinkModelRefused(FormsError):
    """A model that cannot be made the active one."""

    messages = {
        "link_model_unknown": N_("There is no linkage model %(version)s."),
        "link_model_active": N_("The linkage model %(version)s is the active one."),
        "link_model_awaited": N_("The linkage model %(version)s is about to become the active one."),
        "link_model_other": N_("The linkage model %(version)s has another content than its version says."),
    }


@dataclass(frozen=True, slots=True)
class Linking:
    """A model at work in a registry of a size."""

    model_id: int
    model: LinkModel
    scorer: Scorer
    active: bool

    @property
    def rules(self) -> Rules:
        """Where links are made, in bits with the prior."""
        return Rules(self.model.link_at, self.model.review_at)

    @property
    def floor(self) -> float:
        """From which weight on, with the prior, a pair can change a link."""
        return find_floor(self.rules)

    @property
    def least(self) -> float:
        """The weight of the lightest pair that anybody looks at, without the prior."""
        return self.model.review_at - self.scorer.prior_bits

    @property
    def kept_from(self) -> float:
        """The weight of the lightest pair that is kept: one step of the prior lighter, should the registry shrink."""
        return self.least - 1.5


_PROGRESS = select(LinkProgress.model_id, LinkProgress.records, LinkProgress.size)
_KEPT = select(LinkModelVersion.id, LinkModelVersion.version).where(LinkModelVersion.kept).order_by(LinkModelVersion.id)


def list_linkings(connection: Connection, now: datetime, more: int = 0) -> list[Linking]:
    """All models that read records, the active one among them, for a registry in which there are so many records more.

    The first time the model that ships becomes the active one.
    """
    progress = connection.execute(_PROGRESS).first()
    if progress is None:
        _adopt_default(connection, now)
        progress, more = connection.execute(_PROGRESS).one(), 0
    size = _count(connection, progress, more) if more else progress.size
    return [
        _make_linking(connection, row.id, row.version, size, progress.model_id) for row in connection.execute(_KEPT)
    ]


def find_linking(session: Session) -> Linking | None:
    """The active model; none before the first record came."""
    connection = session.connection()
    progress = connection.execute(_PROGRESS).first()
    if progress is None:
        return None
    version = connection.execute(_version_of(progress.model_id)).scalar_one()
    return _make_linking(connection, progress.model_id, version, progress.size, progress.model_id)


def list_models(session: Session) -> list[tuple[LinkModelVersion, str]]:
    """All models of the registry, oldest first, each with what it does.

    active: links are made by it; awaited: it becomes the active one when it has read every record; shadow: it reads
    along; kept: it rests.
    """
    active, awaited = session.scalar(select(LinkProgress.model_id)), find_awaited(session)
    known = {active: "active", awaited: "awaited"}
    rows = session.scalars(select(LinkModelVersion).order_by(LinkModelVersion.id))
    return [(one, known.get(one.id, "shadow" if one.kept else "kept")) for one in rows]


def list_activations(session: Session) -> Sequence[LinkActivation]:
    """Which model was to be the active one, by whom and why, and since when it was; newest first."""
    return session.scalars(_ACTIVATIONS).all()


def get_model(session: Session, version: str) -> LinkModel:
    """The frozen model of this version, or LinkModelRefused."""
    content = session.scalar(select(LinkModelVersion.content).where(LinkModelVersion.version == version))
    if content is None:
        raise LinkModelRefused("link_model_unknown", version=version)
    return parse_model(content)


def add_model(session: Session, model: LinkModel, actor_id: int | None, now: datetime) -> LinkModelVersion:
    """Keep a model for later; the same one twice is one."""
    known = session.scalar(select(LinkModelVersion).where(LinkModelVersion.version == model.version))
    if known is not None:
        return known
    row = LinkModelVersion(
        version=model.version, content=model.to_json(), added_at=now, added_by_id=actor_id, kept=False, filled_to=None
    )
    session.add(row)
    session.flush()
    add_audit_event(session, actor_id, "link_model.added", f"link_model:{row.id}", now)
    return row


def keep_model(session: Session, version: str, actor_id: int | None, now: datetime) -> LinkModelVersion:
    """Let a model read all records beside the active one, from now on: pairs are found by it, persons are not."""
    row = _get_row(session, version)
    if not row.kept:
        list_linkings(session.connection(), now)
        row.kept, row.filled_to = True, 0
        session.flush()
        add_audit_event(session, actor_id, "link_model.kept", f"link_model:{row.id}", now)
    return row


def drop_model(session: Session, version: str, actor_id: int | None, now: datetime) -> None:
    """Let a model read no more, and forget what it read; the model stays.

    LinkModelRefused of the active one, and of the one that is to be it. The caller holds the registry's lock
    (registry.lock_registry).
    """
    row = _get_row(session, version)
    if session.scalar(select(LinkProgress.model_id)) == row.id:
        raise LinkModelRefused("link_model_active", version=version)
    if find_awaited(session) == row.id:
        raise LinkModelRefused("link_model_awaited", version=version)
    _forget_read(session, row)
    add_audit_event(session, actor_id, "link_model.dropped", f"link_model:{row.id}", now)


def activate_model(session: Session, version: str, actor_id: int | None, reason: str, now: datetime) -> LinkActivation:
    """Make a model the active one as soon as it has read every record; journalled. Then all persons are decided anew.

    The caller holds the registry's lock (registry.lock_registry).
    """
    row = keep_model(session, version, actor_id, now)
    asked_at = _find_moment(session, now)
    activation = LinkActivation(model_id=row.id, reason=reason, actor_id=actor_id, asked_at=asked_at, effective_at=None)
    session.add(activation)
    session.flush()
    add_audit_event(session, actor_id, "link_model.activated", f"link_model:{row.id}", now)
    settle_activation(session, now)
    return activation


def find_awaited(session: Session) -> int | None:
    """The model that becomes the active one when it has read every record: the one that was activated last."""
    awaited = _find_awaited(session)
    return awaited.model_id if awaited is not None else None


def follow_activations(session: Session, before: int | None, now: datetime) -> None:
    """After activations were told of: let the model of the last one read, and the one awaited before rest.

    The caller holds the registry's lock (registry.lock_registry).
    """
    awaited, active = _find_awaited(session), session.scalar(select(LinkProgress.model_id))
    if before is not None and before not in (active, awaited and awaited.model_id):
        _forget_read(session, session.get_one(LinkModelVersion, before))
    if awaited is not None:
        keep_model(session, awaited.model.version, awaited.actor_id, now)
        settle_activation(session, now)


def settle_activation(session: Session, now: datetime) -> None:
    """Let the last activation take effect if its model has read every record by now; those before it never will."""
    last = _find_awaited(session)
    if last is None or last.model.filled_to is not None:
        return
    last.effective_at = last.effective_at or now
    progress = session.get_one(LinkProgress, _ROW, populate_existing=True)
    before, after = progress.model_id, last.model_id
    if before != after:
        # Pairs that were too light while the registry was larger are still to be found.
        shrunk = progress.cause == "shrunk" and progress.decided_to is not None
        progress.model_id, progress.decided_to, progress.cause = after, 0, "shrunk" if shrunk else "model"
        session.flush()
        # The questions were the former model's; deciding anew asks those of this one.
        session.execute(delete(LinkQuestion))
        _forget_read(session, session.get_one(LinkModelVersion, before))


# What shipped comes before all that somebody asked for; of two that shipped, the one that was there earlier holds.
_ACTIVATIONS = select(LinkActivation).order_by(
    LinkActivation.asked_at.is_(None), LinkActivation.asked_at.desc(), LinkActivation.effective_at, LinkActivation.id
)


def _find_last(session: Session) -> LinkActivation | None:
    return session.scalar(_ACTIVATIONS.limit(1))


def _find_awaited(session: Session) -> LinkActivation | None:
    """The last activation, unless it is in force here; that it was elsewhere may have been told."""
    last, active = _find_last(session), session.scalar(select(LinkProgress.model_id))
    return last if last is not None and (last.effective_at is None or last.model_id != active) else None


def _find_moment(session: Session, now: datetime) -> datetime:
    """When somebody asks: after all who asked before, whatever the clock says."""
    last = _find_last(session)
    if last is None or last.asked_at is None:
        return now
    return max(now, last.asked_at + timedelta(microseconds=1))


def _count(connection: Connection, known: Row[int, int, int], more: int) -> int:
    """The step of the prior with so many records more; on another one all persons are to be decided anew."""
    size = find_size(known.records + more)
    values: dict[str, Any] = {"records": known.records + more, "size": size}
    if size != known.size:
        unfinished = (LinkProgress.cause == "shrunk") & LinkProgress.decided_to.is_not(None)
        cause = case((unfinished, "shrunk"), else_="grown" if size > known.size else "shrunk")
        values |= {"decided_to": 0, "cause": cause}
    connection.execute(update(LinkProgress).values(values))
    return size


def _get_row(session: Session, version: str) -> LinkModelVersion:
    row = session.scalar(select(LinkModelVersion).where(LinkModelVersion.version == version))
    if row is None:
        raise LinkModelRefused("link_model_unknown", version=version)
    return row


def _version_of(model_id: int) -> Select[str]:
    return select(LinkModelVersion.version).where(LinkModelVersion.id == model_id)


def _adopt_default(connection: Connection, now: datetime) -> None:
    """The model that ships is the first active one. Records that are here already are read by and by."""
    model = default_model()
    records = connection.execute(select(func.count(PersonRecord.id))).scalar_one()
    known = connection.execute(select(LinkModelVersion.id).where(LinkModelVersion.version == model.version)).scalar()
    model_id = known or connection.execute(_add_default(model, now)).scalar_one()
    reads = {"kept": True, "filled_to": 0 if records else None}
    connection.execute(update(LinkModelVersion).where(LinkModelVersion.id == model_id).values(reads))
    connection.execute(insert(LinkActivation).values(model_id=model_id, reason="", effective_at=now))
    connection.execute(
        insert(LinkProgress).values(
            id=_ROW, model_id=model_id, records=records, size=find_size(records), decided_to=None, cause="record"
        )
    )


def _add_default(model: LinkModel, now: datetime) -> ReturningInsert[int]:
    row = {"version": model.version, "content": model.to_json(), "added_at": now, "kept": False}
    return insert(LinkModelVersion).values(row).returning(LinkModelVersion.id)


# By version, which is a hash of the content: the same in every database.
_MODELS: dict[str, LinkModel] = {}


def _make_linking(connection: Connection, model_id: int, version: str, size: int, active_id: int) -> Linking:
    model = _MODELS.get(version)
    if model is None:
        content = connection.execute(select(LinkModelVersion.content).where(LinkModelVersion.id == model_id))
        model = _MODELS.setdefault(version, parse_model(content.scalar_one()))
    return Linking(model_id, model, _make_scorer(version, size), model_id == active_id)


@lru_cache(maxsize=8)
def _make_scorer(version: str, size: int) -> Scorer:
    return Scorer(_MODELS[version], size)


def _forget_read(session: Session, row: LinkModelVersion) -> None:
    own = select(LinkIdentity.id).where(LinkIdentity.model_id == row.id)
    session.execute(delete(LinkPair).where(LinkPair.one_id.in_(own)))
    session.execute(delete(LinkKey).where(LinkKey.model_id == row.id))
    session.execute(delete(LinkWord).where(LinkWord.model_id == row.id))
    session.execute(delete(LinkMember).where(LinkMember.model_id == row.id))
    session.execute(delete(LinkIdentity).where(LinkIdentity.model_id == row.id))
    row.kept, row.filled_to = False, None
    session.flush()
