"""Whom a model serves well and whom badly: by nationality, by sex, and by how common the family name is.

Those who share their name with many are found less and asked about more. How much must be seen before a model is used.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sync.linkage.calibration import LOWEST, Label, to_probability
from sync.linkage.decision import Pair, Question
from sync.linkage.names import fold
from sync.linkage.record import LinkRecord

_TENTHS = 10
# A group of fewer records says nothing, and might say something about somebody.
LEAST_RECORDS = 20
# One label that was drawn from thousands of pairs would be the whole figure of a group.
_MOST_FOR = 20.0


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """Figures of one group of records. Those that follow from labels are None where there is no label to follow from.

    `linked` is the share of records that are not alone, `load` the questions for each record. `precision` is the share
    of right ones among labelled pairs that the model links, `recall` the share linked of those labelled as one person;
    in both a label counts for the pairs that it stands for.
    """

    kind: str
    value: str
    records: int
    linked: float
    load: float
    labels: int
    precision: float | None
    recall: float | None


class Census:
    """Which records are of each nationality, sex and tenth by frequency of the family name, 1 being the rarest.

    Records are counted one by one: those of a registry are too many to keep.
    """

    def __init__(self) -> None:
        self._groups: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        self._names: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)

    def add(self, one: LinkRecord) -> None:
        """Count a record."""
        self._groups["nationality", one.nationality].append(one.record_id)
        self._groups["sex", one.sex].append(one.record_id)
        self._names[fold(one.family_name)].append(one.record_id)

    def list_groups(self) -> dict[tuple[str, str], list[str]]:
        """The records of each group, by its kind and value."""
        groups = self._groups.copy()
        names = sorted(self._names.items(), key=lambda item: (len(item[1]), item[0]))
        ranked = [record for _, own in names for record in sorted(own)]
        for place, record in enumerate(ranked):
            groups["name frequency", str(_TENTHS * place // len(ranked) + 1)].append(record)
        return {name: groups[name] for name in sorted(groups, key=lambda name: (name[0], len(name[1]), name[1]))}


def take_census(records: Iterable[LinkRecord]) -> Census:
    """The census of records that are at hand."""
    census = Census()
    for one in records:
        census.add(one)
    return census


def measure_fairness(
    census: Census,
    persons: Iterable[Sequence[str]],
    questions: Iterable[Question],
    labels: Iterable[Label],
) -> list[GroupFigures]:
    """The figures of every group that is large enough. `persons` are those of the model alone, without the labels."""
    person_of = {record: (place, len(person) > 1) for place, person in enumerate(persons) for record in person}
    asked = Counter(end for one in questions for end in (one.pair.one, one.pair.other))
    known = _list_known(labels, person_of)
    return [
        _measure(kind, value, members, person_of, asked, known)
        for (kind, value), members in census.list_groups().items()
        if len(members) >= LEAST_RECORDS
    ]


def expect_fairness(
    records: Iterable[LinkRecord],
    persons: Iterable[Sequence[str]],
    questions: Iterable[Question],
    weighed: Iterable[Pair],
) -> list[GroupFigures]:
    """The same figures where nobody has told of a pair: right and found as the weights of the pairs let expect.

    They say whom the model itself finds hard, and nothing of where it errs; `labels` is 0.
    """
    likely = [(one, to_probability(one.bits)) for one in weighed if one.bits >= LOWEST]
    same = [Label(one.one, one.other, same=True, stands_for=chance) for one, chance in likely]
    apart = [Label(one.one, one.other, same=False, stands_for=1 - chance) for one, chance in likely]
    figures = measure_fairness(take_census(records), persons, questions, [*same, *apart])
    return [replace(one, labels=0) for one in figures]


def _list_known(labels: Iterable[Label], person_of: Mapping[str, tuple[int, bool]]) -> dict[str, list[Label]]:
    known: defaultdict[str, list[Label]] = defaultdict(list)
    for one in labels:
        if one.one in person_of and one.other in person_of:
            known[one.one].append(one)
            known[one.other].append(one)
    return known


def _measure(
    kind: str,
    value: str,
    members: Sequence[str],
    person_of: Mapping[str, tuple[int, bool]],
    asked: Mapping[str, int],
    known: Mapping[str, Sequence[Label]],
) -> GroupFigures:
    labels = {label for record in members for label in known.get(record, ())}
    together = {one for one in labels if person_of[one.one] == person_of[one.other]}
    same = {one for one in labels if one.same}
    return GroupFigures(
        kind,
        value,
        len(members),
        linked=sum(person_of[record][1] for record in members) / len(members),
        load=sum(asked.get(record, 0) for record in members) / len(members),
        labels=len(labels),
        precision=_share(together & same, together),
        recall=_share(together & same, same),
    )


def _share(part: Iterable[Label], whole: Iterable[Label]) -> float | None:
    """By how many pairs the labels stand for."""
    some, everything = (sum(min(_MOST_FOR, one.stands_for) for one in labels) for labels in (part, whole))
    return some / everything if everything else None
