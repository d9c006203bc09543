"""A few pairs of those that nobody is asked about, drawn so that people tell what a model lets go by.

Questions begin at the review floor, so that of lighter pairs nothing would ever be learnt. Which ones are drawn follows
from the records and the model version alone. Links that nobody made are sampled in link_checks.py.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.orm import Session, aliased

from sync import link_rows as rows
from sync.db import add_rows
from sync.link_models import Linking, find_linking
from sync.linkage.blocking import find_keys
from sync.linkage.calibration import LOWEST, find_bin
from sync.models import LinkDecision, LinkSample, LinkVerdict, Person, PersonRecord
from sync.policy import Viewer
from sync.references import ALPHABET
from sync.scopes import scope_people

# All others that so many records meet are weighed, and of each bin of the calibration so many pairs are drawn: half an
# hour's work for each model. Lighter ones than the lowest bin's are of one person once in ten thousand times.
_POOL, _OF_EACH = 500, 10
# More at a time would keep reviewers from what is asked for somebody's sake.
_SHOWN = 3


class Drawn(NamedTuple):
    """A pair by its homes, the smaller reference first, with its weight and how likely such a pair was to be drawn."""

    one: int
    other: int
    bits: float
    chance: float


class _Light(NamedTuple):
    lot: bytes
    one: int
    other: int
    bits: float


def draw_samples(session: Session, now: datetime) -> int:
    """Let the active model's draws be shown to people, and return how many are new.

    Of models before it those stay that people have answered. The caller holds the registry's lock.
    """
    linking = find_linking(session)
    if linking is None:
        return 0
    open_before = select(LinkSample.one_id, LinkSample.other_id).where(
        LinkSample.model_id != linking.model_id, ~_answered
    )
    for one, other in session.execute(open_before).all():
        session.execute(delete(LinkSample).where(LinkSample.one_id == one, LinkSample.other_id == other))
    known = {(one, other) for one, other in session.execute(select(LinkSample.one_id, LinkSample.other_id))}
    new = [
        {"one_id": one.one, "other_id": one.other, "model_id": linking.model_id, "bits": one.bits,
         "chance": one.chance, "drawn_at": now}
        for one in _draw(session, linking) if (one.one, one.other) not in known
    ]  # fmt: skip
    add_rows(session.connection(), LinkSample, new)
    return len(new)


def list_samples(session: Session, viewer: Viewer) -> list[LinkSample]:
    """A few of the drawn pairs that nobody has answered, of those whose records the viewer may both read."""
    one, other = aliased(PersonRecord), aliased(PersonRecord)
    found = (
        select(LinkSample)
        .join(one, one.home_id == LinkSample.one_id)
        .join(other, other.home_id == LinkSample.other_id)
        .where(~_answered)
        .order_by(LinkSample.one_id, LinkSample.other_id)
    )
    return list(session.scalars(scope_people(scope_people(found, viewer, one), viewer, other).limit(_SHOWN)))


def find_sample(session: Session, one: PersonRecord, other: PersonRecord) -> LinkSample | None:
    """The draw of these two records, if it still awaits an answer."""
    ends = {one.home_id, other.home_id}
    return session.scalar(
        select(LinkSample).where(LinkSample.one_id.in_(ends), LinkSample.other_id.in_(ends), ~_answered)
    )


def list_chances(session: Session) -> Iterator[tuple[str, str, float]]:
    """The references of all pairs that were drawn, and how likely each was to be."""
    one, other = aliased(Person), aliased(Person)
    drawn = select(one.reference, other.reference, LinkSample.chance).select_from(LinkSample)
    for row in session.execute(
        drawn.join(one, one.id == LinkSample.one_id).join(other, other.id == LinkSample.other_id)
    ):
        yield row[0], row[1], row[2]


_left, _right = aliased(Person), aliased(Person)
_answered: ColumnElement[bool] = exists(
    select(LinkVerdict.decision_id)
    .join(LinkDecision, LinkDecision.id == LinkVerdict.decision_id)
    .join(_left, _left.reference == LinkVerdict.record)
    .join(_right, _right.reference == LinkVerdict.other)
    .where(_left.id == LinkSample.one_id, _right.id == LinkSample.other_id, LinkDecision.undone_at.is_(None))
    .correlate(LinkSample)
)


def _draw(session: Session, linking: Linking) -> Iterator[Drawn]:
    """Of each bin the pairs with the least lots."""
    records = session.scalar(select(func.count(PersonRecord.id))) or 0
    pool = _list_pool(session, linking.model.version)
    # A pair is met when either of its records is in the pool.
    met = 1 - (1 - len(pool) / records) ** 2 if records else 0.0
    bins: defaultdict[int, list[_Light]] = defaultdict(list)
    for one in _list_light(session, linking, pool):
        bins[find_bin(one.bits)].append(one)
    for light in bins.values():
        chance = met * min(1.0, _OF_EACH / len(light))
        for one in sorted(light)[:_OF_EACH]:
            yield Drawn(one.one, one.other, one.bits, chance)


def _list_pool(session: Session, version: str) -> list[int]:
    """The homes of a piece of all records: references are evenly spread, and each model begins at another of them."""
    first, second = (ALPHABET[one % len(ALPHABET)] for one in blake2b(version.encode(), digest_size=2).digest())
    after = PersonRecord.reference >= first + second
    homes: list[int] = []
    for part in (after, ~after):
        piece = select(PersonRecord.home_id).where(part).order_by(PersonRecord.reference).limit(_POOL - len(homes))
        homes += session.scalars(piece)
    return homes


def _list_light(session: Session, linking: Linking, pool: list[int]) -> Iterator[_Light]:
    """What the pool meets by its keys and nobody is asked about, told of one record for each identity."""
    connection, model = session.connection(), linking.model
    own = rows.read_features(connection, set(rows.find_members(connection, linking.model_id, pool).values()))
    keys = {identity: find_keys(one, model.too_common) for identity, one in own.items()}
    met = {(min(pair), max(pair)) for pair in rows.find_candidates(connection, linking.model_id, keys)}
    ends = {end for pair in met for end in pair}
    features = own | rows.read_features(connection, ends - own.keys())
    first = rows.read_first_records(connection, linking.model_id, ends)
    for pair in met:
        bits = linking.scorer.score(*(features[end] for end in pair))
        if LOWEST <= bits < model.review_at:
            one, other = sorted((first[end][0] for end in pair), key=lambda record: record.reference)
            lot = blake2b(f"{model.version} {one.reference} {other.reference}".encode(), digest_size=8).digest()
            yield _Light(lot, one.home, other.home, bits)
