"""The whole registry weighed anew by one model: what that would change, how far to trust it, and whom it serves badly.

Nothing is changed here. What the active model ought to have found and has not is told to look_again in link_fold.py,
which never undoes what people decided. The engines: linkage/batch.py and linkage/spark.py.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync import link_rows as rows
from sync.link_fold import read_link_record
from sync.link_labels import read_decided, read_labels
from sync.linkage.batch import Weighed, count_left_out, find_most_common, write_input
from sync.linkage.calibration import Bin, calibrate, find_error
from sync.linkage.component import ask_about_rest, decide_all, find_floor
from sync.linkage.decision import Rules
from sync.linkage.fairness import GroupFigures, measure_fairness
from sync.linkage.features import Features
from sync.linkage.judging import judge_pair
from sync.linkage.model import LinkModel
from sync.linkage.record import LinkRecord
from sync.linkage.score import Scorer
from sync.models import LinkMember, LinkModelVersion, Person, PersonRecord

Engine = Callable[[Path, LinkModel, int], Iterator[Weighed]]
_READ_AT_ONCE, _CLEANED = 1_000, 200_000


@dataclass(frozen=True, slots=True)
class Run:
    """What a model makes of the registry, beside what the registry holds.

    `joined` links would come and `parted` ones would go; `questions` are those that would be open. `labels` are pairs
    that people decided about or checked; what the model alone would say of them is in the calibration and the figures
    of groups.
    `overlooked` are records with a pair that the model should have found on their arrival, by their homes. `crowded`
    keys have outgrown the model: looking them up is dear, and it is time to train another. `left_out` keys were not
    looked up here, as more than `most_common` records share each: a batch can afford less than one record that comes.
    """

    model: str
    records: int
    pairs: int
    persons: int
    persons_before: int
    joined: int
    parted: int
    questions: int
    labels: int
    error: float | None
    calibration: Sequence[Bin]
    fairness: Sequence[GroupFigures]
    overlooked: Sequence[int]
    crowded: int
    left_out: int
    most_common: int


def run_model(session: Session, model: LinkModel, weigh: Engine, folder: Path, more: Sequence[LinkRecord] = ()) -> Run:
    """Weigh all records by the model, and `more` as if each had come; the folder is for what lies on disk meanwhile."""
    records = [*read_records(session), *more]
    said, labels = read_decided(session), read_labels(session)
    ids = write_input(folder, model, records)
    weighed = weigh(folder, model, len(ids))
    found = sorted((min(ids[one], ids[other]), max(ids[one], ids[other]), bits) for one, other, bits in weighed)
    scorer, clean = Scorer(model, len(ids)), _make_cleaner(model, records)
    rules = Rules(model.link_at, model.review_at)
    visits = {one.record_id: one.visit for one in records if one.visit}
    heavy = [
        judge_pair(scorer, clean(one), clean(other), bits, one_visit=one in visits and visits[one] == visits.get(other))
        for one, other, bits in found
        if bits >= find_floor(rules)
    ]
    (alone, _), (decided, between) = (decide_all(ids, heavy, rules, known) for known in ((), said))
    light = [one for one in found if one[2] < find_floor(rules)]
    light += [(pair.one, pair.other, pair.bits) for pair in between]
    asked = ask_about_rest(decided, light, said)
    before = _read_persons(session, ids) | {one.record_id: -place for place, one in enumerate(more, 1)}
    known = [one for one in labels if {one.one, one.other} <= before.keys()]
    bins = calibrate((scorer.score(clean(one.one), clean(one.other)), one) for one in known)
    return Run(
        model.version,
        len(ids),
        len(found),
        len(decided.persons),
        len(set(before.values())) - len(more),
        _count_parts(decided.persons, before),
        _count_parts(_group(before), {record: place for place, one in enumerate(decided.persons) for record in one}),
        len(asked),
        len(known),
        find_error(bins),
        bins,
        measure_fairness(records, alone.persons, asked, known),
        _find_overlooked(session, model, found),
        _count_crowded(session, model),
        count_left_out(folder, len(ids)),
        find_most_common(len(ids)),
    )


def read_records(session: Session) -> Iterator[LinkRecord]:
    """All records of the registry as linkage reads them, in order of their references."""
    query = select(PersonRecord).order_by(PersonRecord.reference).execution_options(yield_per=_READ_AT_ONCE)
    for one in session.scalars(query):
        yield read_link_record(one)
        session.expunge(one)


def _make_cleaner(model: LinkModel, records: Sequence[LinkRecord]) -> Callable[[str], Features]:
    by_id = {one.record_id: one for one in records}
    return lru_cache(maxsize=_CLEANED)(lambda record: model.cleaner.clean(by_id[record]))


def _read_persons(session: Session, records: Iterable[str]) -> dict[str, int]:
    """The persons of the records that were weighed; others may have come meanwhile."""
    weighed = set(records)
    query = select(PersonRecord.reference, PersonRecord.person_id).execution_options(yield_per=_READ_AT_ONCE)
    return {row[0]: row[1] for row in session.execute(query) if row[0] in weighed}


def _group(person_of: dict[str, int]) -> Iterable[list[str]]:
    groups: dict[int, list[str]] = {}
    for record, person in person_of.items():
        groups.setdefault(person, []).append(record)
    return groups.values()


def _count_parts(groups: Iterable[Sequence[str]], part_of: dict[str, int]) -> int:
    """How many more parts than groups there are: the links that would make one of each group."""
    return sum(len({part_of.get(record) for record in group}) - 1 for group in groups)


def _find_overlooked(session: Session, model: LinkModel, found: Sequence[tuple[str, str, float]]) -> list[int]:
    """The homes of records with a pair that is not written down, for a model that has read every record."""
    row = session.scalar(select(LinkModelVersion).where(LinkModelVersion.version == model.version))
    if row is None or not row.kept or row.filled_to is not None:
        return []
    members = (
        select(Person.reference, LinkMember.home_id, LinkMember.identity_id)
        .join(Person, Person.id == LinkMember.home_id)
        .where(LinkMember.model_id == row.id)
    )
    place = {reference: (home, identity) for reference, home, identity in session.execute(members)}
    homes = dict[tuple[int, int], int]()
    for left, right, _ in found:
        if left in place and right in place:
            (home, one), (_, other) = place[left], place[right]
            homes.setdefault((min(one, other), max(one, other)), home)
    met = sorted(ends for ends in homes if ends[0] != ends[1])
    return sorted({homes[ends] for ends in _leave_out_known(session, met)})


def _leave_out_known(session: Session, ends: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Those that are not written down as pairs; looked for some at a time, as there are very many."""
    for start in range(0, len(ends), _READ_AT_ONCE):
        some = ends[start : start + _READ_AT_ONCE]
        known = {(one.one, one.other) for one in rows.read_pairs(session.connection(), {one for one, _ in some}, -inf)}
        yield from (one for one in some if one not in known)


def _count_crowded(session: Session, model: LinkModel) -> int:
    known = session.scalar(select(LinkModelVersion.id).where(LinkModelVersion.version == model.version))
    return rows.count_crowded(session.connection(), known) if known is not None else 0
