"""A few pairs of those that nobody is asked about, drawn so that people tell what a model lets go by.

Questions begin at the review floor, and one answer settles many pairs: of lighter ones, and of those that an answer or
a link settled, nothing would ever be learnt. So every pair that is weighed has a chance to be labelled, and it is
known: questions all are, links between a record and the first of its person as link_checks.py samples them, and of the
others a few are drawn here. Which lots are least follows from the records and the model version alone.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from hashlib import blake2b
from itertools import chain
from typing import NamedTuple

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from sync import link_rows as rows
from sync.db import add_rows
from sync.link_models import Linking, find_linking
from sync.link_rows import RecordRow
from sync.link_verdicts import IN_FORCE, read_verdicts
from sync.linkage.blocking import find_keys
from sync.linkage.calibration import LOWEST, find_bin
from sync.models import LinkCheck, LinkDecision, LinkQuestion, LinkSample, LinkVerdict, Person, PersonRecord
from sync.policy import Viewer
from sync.references import ALPHABET
from sync.scopes import scope_people

# All others that so many records meet are weighed, and of each bin of the calibration so many pairs are drawn, less
# those that people see anyway: of 50,000 records some forty, half an hour's work for each model. Lighter ones than the
# lowest bin's are of one person once in ten thousand times.
_POOL, _OF_EACH = 500, 10
# More at a time would keep reviewers from what is asked for somebody's sake.
_SHOWN = 3


class _Met(NamedTuple):
    """Two records that share a key, the smaller reference first; whose lot is least is drawn."""

    lot: bytes
    one: RecordRow
    other: RecordRow
    bits: float

    @property
    def ends(self) -> tuple[int, int]:
        return self.one.home, self.other.home


def draw_samples(session: Session, now: datetime) -> int:
    """Let the active model's draws be shown to people, and return how many are new.

    Of those before it, and of what people are asked about by now, that stays which they have answered. The caller holds
    the registry's lock.
    """
    linking = find_linking(session)
    if linking is None:
        return 0
    past = select(LinkSample).where(or_(LinkSample.model_id != linking.model_id, _asked), ~_answered)
    for sample in session.scalars(past).all():
        session.delete(sample)
    session.flush()
    known = {(one, other) for one, other in session.execute(select(LinkSample.one_id, LinkSample.other_id))}
    told = {"model_id": linking.model_id, "drawn_at": now}
    new = [
        told | {"one_id": one.ends[0], "other_id": one.ends[1], "bits": one.bits, "chance": chance}
        for one, chance in _draw(session, linking) if one.ends not in known
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
        .where(~_answered, ~_asked)
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


_asked: ColumnElement[bool] = exists(
    select(LinkQuestion.one_id)
    .where(LinkQuestion.one_id == LinkSample.one_id, LinkQuestion.other_id == LinkSample.other_id)
    .correlate(LinkSample)
)


def _draw(session: Session, linking: Linking) -> list[tuple[_Met, float]]:
    """Of each bin the pairs with the least lots, each with its chance, but for those that people are shown anyway.

    That is asked last: what people are shown meanwhile changes nobody's chance.
    """
    pool = _list_pool(session, linking.model.version)
    bins: defaultdict[int, list[_Met]] = defaultdict(list)
    for one in _list_met(session, linking, pool):
        bins[find_bin(one.bits)].append(one)
    met = _find_chance_to_meet(session.scalar(select(func.count(PersonRecord.id))) or 0, len(pool))
    drawn = [one for found in bins.values() for one in sorted(found)[:_OF_EACH]]
    chances = {place: met * min(1.0, _OF_EACH / len(found)) for place, found in bins.items()}
    return [(one, chances[find_bin(one.bits)]) for one in _leave_seen(session, linking, drawn)]


def _find_chance_to_meet(records: int, pool: int) -> float:
    """How likely a pair is to be met: when either of its records is in the pool."""
    left = records - pool
    return 1 - left * (left - 1) / (records * (records - 1)) if records > 1 else 0.0


def _list_pool(session: Session, version: str) -> list[int]:
    """The homes of a piece of all records: references are evenly spread, and each model begins at another of them."""
    first, second = (ALPHABET[one % len(ALPHABET)] for one in blake2b(version.encode(), digest_size=2).digest())
    after = PersonRecord.reference >= first + second
    homes: list[int] = []
    for part in (after, ~after):
        piece = select(PersonRecord.home_id).where(part).order_by(PersonRecord.reference).limit(_POOL - len(homes))
        homes += session.scalars(piece)
    return homes


def _list_met(session: Session, linking: Linking, pool: list[int]) -> Iterator[_Met]:
    """What the pool meets by its keys, told of one record for each identity, and two records that say the same."""
    connection, model = session.connection(), linking.model
    own = rows.read_features(connection, set(rows.find_members(connection, linking.model_id, pool).values()))
    keys = {identity: find_keys(one, model.too_common) for identity, one in own.items()}
    met = {(min(pair), max(pair)) for pair in rows.find_candidates(connection, linking.model_id, keys)}
    ends = own.keys() | {end for pair in met for end in pair}
    features = own | rows.read_features(connection, ends - own.keys())
    first = rows.read_first_records(connection, linking.model_id, ends)
    for pair in chain(met, ((end, end) for end in own if len(first[end]) > 1)):
        bits = linking.scorer.score(*(features[end] for end in pair))
        if bits >= LOWEST:
            told = first[pair[0]][:2] if pair[0] == pair[1] else [first[end][0] for end in pair]
            one, other = sorted(told, key=lambda record: record.reference)
            lot = blake2b(f"{model.version} {one.reference} {other.reference}".encode(), digest_size=8).digest()
            yield _Met(lot, one, other, bits)


def _leave_seen(session: Session, linking: Linking, drawn: Sequence[_Met]) -> list[_Met]:
    """Without what people answered or checked, are asked about or will be, or may be shown as a link to be checked."""
    persons = {end.person for one in drawn for end in (one.one, one.other)}
    mates = rows.read_records_of(session.connection(), linking.model_id, persons)
    person_of = {one.reference: one.person for one in mates}
    said = read_verdicts(session.connection(), person_of)
    settled = {(person_of[one.record], one.person) for one in said}
    joined = {one.record for one in said if one.same}
    labelled = _list_labelled(session, {home for one in drawn for home in one.ends})

    def is_seen(one: _Met) -> bool:
        if one.one.person == one.other.person:
            return _is_checked(one, joined)
        # While nobody has said anything about the two persons, a pair waits for the answer to a heavier one.
        return one.bits >= linking.model.review_at and (one.one.person, one.other.person) not in settled

    return [one for one in drawn if one.ends not in labelled and not is_seen(one)]


def _is_checked(one: _Met, joined: Collection[str]) -> bool:
    """Whether this is one of the links of which a sample is shown to two people (link_checks.py)."""
    later = one.one if one.other.home == one.other.person else one.other
    return one.one.person in one.ends and later.reference not in joined


def _list_labelled(session: Session, homes: Collection[int]) -> set[tuple[int, int]]:
    """Pairs of these homes that people were shown, and answered or are asked about still; both ways round.

    Who parts a person was shown none of the pairs: such a label speaks for others only if it is drawn.
    """
    decided = (
        select(_left.id, _right.id)
        .select_from(LinkVerdict)
        .join(LinkDecision, LinkDecision.id == LinkVerdict.decision_id)
        .join(_left, _left.reference == LinkVerdict.record)
        .join(_right, _right.reference == LinkVerdict.other)
        .where(IN_FORCE, LinkDecision.kind.in_(("same", "apart")), _left.id.in_(homes))
    )
    checked = select(LinkCheck.home_id, LinkCheck.other_id).where(LinkCheck.home_id.in_(homes))
    asked = select(LinkQuestion.one_id, LinkQuestion.other_id).where(LinkQuestion.one_id.in_(homes))
    found = [(one, other) for query in (decided, checked, asked) for one, other in session.execute(query)]
    return {*found, *((other, one) for one, other in found)}
