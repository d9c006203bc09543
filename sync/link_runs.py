"""The whole registry weighed anew by one model: what that would change, how far to trust it, and whom it serves badly.

Nothing is changed here. What the active model ought to have found and has not is told to look_again in link_fold.py,
which never undoes what people decided. The engines: linkage/batch.py and linkage/spark.py.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import inf
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync import link_rows as rows
from sync.link_fold import read_link_record
from sync.link_labels import read_decided, read_labels
from sync.linkage.batch import Weighed, count_left_out, find_most_common, judge_weighed, read_features, write_input
from sync.linkage.calibration import Bin, Label, calibrate, find_error
from sync.linkage.component import ask_about_rest, decide_all, find_floor
from sync.linkage.decision import Decision, Pair, Question, Rules, Verdict
from sync.linkage.fairness import Census, GroupFigures, measure_fairness
from sync.linkage.judging import make_pair
from sync.linkage.model import LinkModel
from sync.linkage.record import LinkRecord, Visit
from sync.linkage.score import Scorer
from sync.models import LinkMember, LinkModelVersion, Person, PersonRecord

log = logging.getLogger(__name__)

Engine = Callable[[Path, LinkModel, int], Iterator[Weighed]]
_READ_AT_ONCE = 1_000


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
    """Weigh all records by the model, and `more` as if each had come; the folder is for what lies on disk meanwhile.

    Each step is told to the log, as a large registry takes minutes.
    """
    said, labels = read_decided(session), read_labels(session)
    census, visits = Census(), list[Visit | None]()
    ids = write_input(folder, model, _pass_by(census, visits, chain(read_records(session), more)))
    log.info("link run: %d records cleaned", len(ids))
    weighed = sorted(weigh(folder, model, len(ids)))
    log.info("link run: %d pairs weighed", len(weighed))
    rules = Rules(model.link_at, model.review_at)
    heavy = _judge(folder, ids, visits, (one for one in weighed if one[2] >= find_floor(rules)))
    light = [_sort(ids[one], ids[other], bits) for one, other, bits in weighed if bits < find_floor(rules)]
    alone, decided, asked = _decide(ids, heavy, light, rules, said)
    log.info("link run: %d persons decided, %d questions", len(decided.persons), len(asked))
    before = _read_persons(session, ids)
    persons_before = len(set(before.values()))
    before |= {one.record_id: -place for place, one in enumerate(more, 1)}
    joined, parted = _compare(decided, before)
    log.info("link run: %d links to come, %d to go", joined, parted)
    known = [one for one in labels if {one.one, one.other} <= before.keys()]
    bins = _calibrate(folder, model, ids, known)
    fairness = measure_fairness(census, alone.persons, asked, known)
    log.info("link run: %d labels measured, %d groups", len(known), len(fairness))
    overlooked = _find_overlooked(session, model, ids, weighed)
    log.info("link run: %d homes of overlooked pairs", len(overlooked))
    return Run(
        model.version,
        len(ids),
        len(weighed),
        len(decided.persons),
        persons_before,
        joined,
        parted,
        len(asked),
        len(known),
        find_error(bins),
        bins,
        fairness,
        overlooked,
        _count_crowded(session, model),
        count_left_out(folder, len(ids)),
        find_most_common(len(ids)),
    )


def read_records(session: Session) -> Iterator[LinkRecord]:
    """All records of the registry as linkage reads them, in order of their references."""
    # As rows and not as objects: of a large registry these alone would take half a minute.
    query = select(PersonRecord.__table__).order_by(PersonRecord.reference)
    for one in session.execute(query.execution_options(yield_per=_READ_AT_ONCE)):
        yield read_link_record(one._asdict())


def _pass_by(census: Census, visits: list[Visit | None], records: Iterable[LinkRecord]) -> Iterator[LinkRecord]:
    """The records, each once what is kept of it is told: all of them are too many to keep."""
    for one in records:
        census.add(one)
        visits.append(one.visit)
        yield one


def _judge(folder: Path, ids: Sequence[str], visits: Sequence[Visit | None], heavy: Iterable[Weighed]) -> list[Pair]:
    return [
        make_pair(ids[one], ids[other], bits, judgement, one_visit=visits[one] == visits[other] is not None)
        for (one, other, bits), judgement in judge_weighed(folder, heavy)
    ]


def _sort(one: str, other: str, bits: float) -> tuple[str, str, float]:
    return min(one, other), max(one, other), bits


def _decide(
    ids: Sequence[str], heavy: list[Pair], light: list[tuple[str, str, float]], rules: Rules, said: Sequence[Verdict]
) -> tuple[Decision, Decision, list[Question]]:
    """What the model alone decides, what it decides with what people said, and the questions that this leaves."""
    alone, between = decide_all(ids, heavy, rules)
    decided, between = decide_all(ids, heavy, rules, said) if said else (alone, between)
    rest = [*light, *((pair.one, pair.other, pair.bits) for pair in between)]
    return alone, decided, ask_about_rest(decided, rest, said)


def _compare(decided: Decision, before: Mapping[str, int]) -> tuple[int, int]:
    """How many links make the persons that were decided of those that were before, and these of the decided ones."""
    met = {(before.get(record), place) for place, person in enumerate(decided.persons) for record in person}
    # A record may have gone meanwhile: it is of none of those before.
    parts = sum(person is not None for person, _ in met)
    return len(met) - len(decided.persons), parts - len(set(before.values()))


def _calibrate(folder: Path, model: LinkModel, ids: Sequence[str], labels: Sequence[Label]) -> list[Bin]:
    """By what the records were when they were weighed."""
    ends = {record for one in labels for record in (one.one, one.other)}
    read = read_features(folder, {number: record for number, record in enumerate(ids) if record in ends})
    scorer = Scorer(model, len(ids))
    return calibrate((scorer.score(read[one.one], read[one.other]), one) for one in labels)


def _read_persons(session: Session, records: Iterable[str]) -> dict[str, int]:
    """The persons of the records that were weighed; others may have come meanwhile."""
    weighed = set(records)
    query = select(PersonRecord.reference, PersonRecord.person_id).execution_options(yield_per=_READ_AT_ONCE)
    return {row[0]: row[1] for row in session.execute(query) if row[0] in weighed}


def _find_overlooked(session: Session, model: LinkModel, ids: Sequence[str], weighed: Sequence[Weighed]) -> list[int]:
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
    for left, right, _ in weighed:
        if ids[left] in place and ids[right] in place:
            (home, one), (_, other) = place[ids[left]], place[ids[right]]
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
