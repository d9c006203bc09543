"""The registry told anew from what is kept: submissions, and the journal of what cannot be read off them.

The journal is what was served under which number, what people decided and did, what was released for its age, and what
was erased and retained. Whether a record counts is a fact too: nothing is validated anew here (revalidation.py).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from forms.encryption import PrivateKeys
from forms.errors import N_, FormsError
from sync.attachments import AttachmentStore
from sync.entity_fold import Said, fold_whole, tell_entities
from sync.entity_words import rewrite_words
from sync.families import Standing
from sync.judging import Verdict, judge
from sync.link_fold import forget_links, link_some, read_persons, retell_changes
from sync.models import Entity, EntityConflict, EntityContribution, IssuedVersion, LinkChange, Submission
from sync.processing import does_count, list_work, read_contribution
from sync.registry import Contribution, fold_family, lock_registry
from sync.settling import find_places, find_related, settle_standings
from sync.states import refresh_state

_AT_ONCE = 500


class RebuildRefused(FormsError):
    """The registry cannot be told anew without losing somebody."""

    messages = {
        "rebuild_unreadable": N_(
            "The record %(id)s counts and cannot be read now: its form or its key is missing. Nothing was changed."
        ),
    }


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How much was told anew."""

    submissions: int
    entities: int


def rebuild_registry(session: Session, store: AttachmentStore, keys: PrivateKeys, now: datetime) -> Rebuilt:
    """Tell persons, encounters and entities anew from submissions and journal, all in the caller's transaction.

    Tablets are served the same numbers as before; one whose content differs from what stood there gets a new one. What
    nobody has judged yet is left to the processing. Raises RebuildRefused before anybody would be lost.
    """
    lock_registry(session)
    persons, changes = read_persons(session), session.scalar(select(func.max(LinkChange.id))) or 0
    _forget(session)
    submissions = 0
    for ids in _batches(session, select(Submission.id).where(*_JUDGED).order_by(Submission.id)):
        works = [replace(one, validates=False) for one in list_work(session, store, ids, keys)]
        _retell(session, ids, [judge(one) for one in works], now)
        submissions += len(ids)
    entities = 0
    for ids in _batches(session, select(Entity.id).order_by(Entity.id)):
        fold_whole(session, ids, now)
        entities += len(ids)
    while link_some(session, now):
        pass
    retell_changes(session, changes, persons, now)
    session.expire_all()
    return Rebuilt(submissions, entities)


_JUDGED = (Submission.processed_at.is_not(None), Submission.is_draft.is_(False))


def _forget(session: Session) -> None:
    """Take out what submissions said, and set the numbers back to those that were served."""
    judged = select(Submission.id).where(*_JUDGED)
    session.execute(delete(EntityContribution).where(EntityContribution.submission_id.in_(judged)))
    mine = IssuedVersion.entity_id == Entity.id
    served = select(func.coalesce(func.max(IssuedVersion.number), 0)).where(mine).scalar_subquery()
    disputed = select(func.count()).where(EntityConflict.entity_id == Entity.id).scalar_subquery()
    session.execute(update(Entity).values(claimed=0, version=served, open_conflicts=disputed))
    forget_links(session)
    # Folding writes what changed in them: they must be those of the rows as they stand, which may be what is wrong.
    for ids in _batches(session, select(Entity.id).order_by(Entity.id)):
        rewrite_words(session, ids)
    session.expire_all()


def _batches(session: Session, query: Select[int]) -> Iterator[Sequence[int]]:
    ids = session.scalars(query).all()
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]


def _retell(session: Session, ids: Sequence[int], verdicts: Sequence[Verdict], now: datetime) -> None:
    by_id = {one.work.id: one for one in verdicts}
    rows = session.scalars(select(Submission).where(Submission.id.in_(ids)).order_by(Submission.id)).all()
    related = find_related(session, rows)
    alone, counting = [], []
    standings: dict[int, Standing] = {}
    for row in rows:
        if row.id in related:
            standings[row.id] = _retell_related(session, row, by_id[row.id], now)
            continue
        row.waits_for = row.superseded_by_id = None
        refresh_state(row)
        standings[row.id] = Standing(row.instance_id, counts=does_count(row))
        alone.append(row.id)
        counting += [_read(row, by_id[row.id])] if standings[row.id].counts else []
    session.flush()
    fold_family(session, alone, counting, now)
    tell_entities(session, [Said(row, by_id[row.id].entities) for row in rows], standings, now)


def _retell_related(session: Session, row: Submission, verdict: Verdict, now: datetime) -> Standing:
    """Each member of a family comes by: the one that counts speaks for all."""
    standings = settle_standings(session, row)
    mine = standings[row.id]
    if mine.counts:
        places = find_places(session, row, verdict.persons, verdict.work.seal)
        fold_family(session, list(standings), [_read(row, verdict).rooted(mine.root_id, places)], now)
    elif not any(one.counts for one in standings.values()):
        fold_family(session, list(standings), [], now)
    return mine


def _read(row: Submission, verdict: Verdict) -> Contribution:
    if not verdict.is_read:
        raise RebuildRefused("rebuild_unreadable", id=row.id)
    row.started_at, row.ended_at = verdict.started_at, verdict.ended_at
    return read_contribution(row, verdict)
