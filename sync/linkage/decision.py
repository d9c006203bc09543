"""Which records are one person: automatic links where nothing speaks against them, questions where something does.

A function of records, model and human verdicts alone: the order in which they came changes nothing. Persons are made
from scratch within each component of pairs that could change a link, verdicts that keep records apart first.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Literal

Reason = Literal["weight", "margin", "corroboration", "conflict", "visit", "apart", "size"]
Ends = frozenset[str]
NOBODY: Mapping[str, float] = {}
# A component of more records is left to people: nobody is linked in it but by their word. Of 50,000 and of 200,000
# invented records the largest had 15.
LARGEST = 150


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records with their match weight. `corroborated`: more agrees than a household shares.

    `beside`: they were made at one site on one day, of people who most likely are two.
    """

    one: str
    other: str
    bits: float
    corroborated: bool = False
    conflict: bool = False
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What people decided about two records: that they are one person, or never the same."""

    one: str
    other: str
    same: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """Where links are made. `margin` is the distance to the runner-up person, `largest` the component judged."""

    link_at: float
    review_at: float
    margin: float = 8.0
    largest: int = LARGEST


@dataclass(frozen=True, slots=True)
class Question:
    """A pair that people are asked about, with what kept it from being linked."""

    pair: Pair
    reason: Reason


@dataclass(frozen=True, slots=True)
class Decision:
    """Persons as sorted groups of records, alone ones too, and the open questions, heaviest first."""

    persons: Sequence[tuple[str, ...]]
    questions: Sequence[Question]


def split_verdicts(one: Iterable[str], other: Iterable[str]) -> list[Verdict]:
    """The verdicts that keep two parts of a person apart."""
    return [Verdict(left, right, same=False) for left in sorted(one) for right in sorted(other)]


def decide_persons(
    records: Iterable[str],
    pairs: Iterable[Pair],
    rules: Rules,
    verdicts: Iterable[Verdict] = (),
    rivals: Mapping[str, float] = NOBODY,
) -> Decision:
    """Make persons of records. A verdict about a record that is not there yet waits without effect.

    `rivals` tells how much a record weighs at most against anybody who is not among these.

    Two persons are one question, put by their heaviest pair, and a person waits for the answer about its nearest
    rival before others are asked about: an answer changes what is worth asking next.
    """
    known = set(records)
    given = [one for one in sorted(set(verdicts), key=_verdict_order) if {one.one, one.other} <= known]
    heard = sorted((one for one in pairs if one.bits >= rules.review_at), key=_pair_order)
    persons: list[tuple[str, ...]] = []
    reasons: dict[Ends, Reason] = {}
    for members, inside in find_components(known, heard, given, rules.link_at - rules.margin):
        component = _Component(members, inside, given, rules, rivals)
        persons += component.persons
        reasons |= component.reasons
    asked = [Question(pair, reasons.get(_ends(pair), "weight")) for pair in _find_open(heard, persons, given)]
    return Decision(sorted(persons), asked)


def _ends(one: Pair | Verdict) -> Ends:
    return frozenset((one.one, one.other))


def _pair_order(pair: Pair) -> tuple[float, str, str]:
    return -pair.bits, pair.one, pair.other


def _verdict_order(verdict: Verdict) -> tuple[str, str, bool]:
    return min(verdict.one, verdict.other), max(verdict.one, verdict.other), verdict.same


def _find_open(heard: Sequence[Pair], persons: Sequence[tuple[str, ...]], verdicts: Sequence[Verdict]) -> list[Pair]:
    """The pairs worth a question, of pairs that come heaviest first: for each person the one with its nearest rival."""
    person_of = {record: place for place, person in enumerate(persons) for record in person}
    judged = {_ends(one) for one in verdicts}
    apart = {_ends(one) for one in verdicts if not one.same}
    between = [(pair, frozenset((person_of[pair.one], person_of[pair.other]))) for pair in heard]
    # What people said of two records holds for their persons, until a pair weighs more than those they were shown.
    settled = {rivals: pair.bits for pair, rivals in reversed(between) if _ends(pair) in apart}
    found: list[Pair] = []
    waiting: set[int] = set()
    for pair, rivals in between:
        settles = _ends(pair) in judged or pair.bits <= settled.get(rivals, -inf)
        if len(rivals) == 1 or settles or rivals <= waiting:
            continue
        waiting |= rivals
        found.append(pair)
    return found


class Groups:
    """Disjoint groups of records, each with a representative."""

    def __init__(self, records: Iterable[str]) -> None:
        self.members = {record: [record] for record in records}
        self._of = {record: record for record in self.members}

    def find(self, record: str) -> str:
        """The representative of a record's group."""
        return self._of[record]

    def join(self, one: str, other: str) -> None:
        """Make one group of the groups of two records."""
        kept, gone = sorted((self._of[one], self._of[other]), key=lambda name: (-len(self.members[name]), name))
        if kept == gone:
            return
        for record in self.members[gone]:
            self._of[record] = kept
        self.members[kept] += self.members.pop(gone)


def find_components(
    records: Collection[str], pairs: Sequence[Pair], verdicts: Sequence[Verdict], floor: float
) -> list[tuple[list[str], list[Pair]]]:
    """The records that pairs from the floor on or people's word connect, with these pairs; alone ones too."""
    groups = Groups(records)
    heavy = [pair for pair in pairs if pair.bits >= floor]
    joined = [(pair.one, pair.other) for pair in heavy] + [(said.one, said.other) for said in verdicts if said.same]
    for one, other in joined:
        groups.join(one, other)
    inside: defaultdict[str, list[Pair]] = defaultdict(list)
    for pair in heavy:
        inside[groups.find(pair.one)].append(pair)
    return [(sorted(members), inside[name]) for name, members in sorted(groups.members.items())]


@dataclass
class _Component:
    """One component, judged from scratch. `pairs` come heaviest first."""

    members: list[str]
    pairs: list[Pair]
    verdicts: Sequence[Verdict]
    rules: Rules
    rivals: Mapping[str, float]
    reasons: dict[Ends, Reason] = field(default_factory=dict)

    def __post_init__(self) -> None:
        own = set(self.members)
        inside = [one for one in self.verdicts if one.one in own and one.other in own]
        self.apart = {_ends(one) for one in inside if not one.same}
        self.conflicts = {_ends(pair) for pair in self.pairs if pair.conflict}
        self.beside = {_ends(pair) for pair in self.pairs if pair.beside}
        self.groups = Groups(self.members)
        self.human = {_ends(one) for one in inside if one.same}
        for one in inside:
            if one.same and not self._cross(one.one, one.other, self.apart):
                self.groups.join(one.one, one.other)
        self._link()

    @property
    def persons(self) -> list[tuple[str, ...]]:
        return [tuple(sorted(members)) for members in self.groups.members.values()]

    def _link(self) -> None:
        links = [pair for pair in self.pairs if self._qualifies(pair)]
        doubtful = self._find_doubtful(links)
        for pair in links:
            one, other = self.groups.find(pair.one), self.groups.find(pair.other)
            if one == other:
                continue
            if reason := self._find_objection(pair, doubtful):
                self.reasons[_ends(pair)] = reason
            else:
                self.groups.join(one, other)

    def _qualifies(self, pair: Pair) -> bool:
        """Whether the pair alone would be linked; what keeps it from that is asked, unless people have answered."""
        ends = _ends(pair)
        if pair.bits < self.rules.link_at or ends in self.apart or ends in self.human:
            return False
        if reason := self._find_reason(pair):
            self.reasons[ends] = reason
        return reason is None

    def _find_reason(self, pair: Pair) -> Reason | None:
        if len(self.members) > self.rules.largest:
            return "size"
        if pair.conflict:
            return "conflict"
        if pair.beside:
            return "visit"
        return None if pair.corroborated else "corroboration"

    def _find_objection(self, pair: Pair, doubtful: set[str]) -> Reason | None:
        """Why the two groups that the pair would join must stay apart."""
        if self._cross(pair.one, pair.other, self.apart):
            return "apart"
        if self._cross(pair.one, pair.other, self.conflicts):
            return "conflict"
        if self._cross(pair.one, pair.other, self.beside):
            return "visit"
        return "margin" if pair.one in doubtful or pair.other in doubtful else None

    def _cross(self, one: str, other: str, pairs: set[Ends]) -> bool:
        left, right = (self.groups.members[self.groups.find(record)] for record in (one, other))
        return bool(pairs) and any(frozenset((mine, theirs)) in pairs for mine in left for theirs in right)

    def _find_doubtful(self, links: Sequence[Pair]) -> set[str]:
        """Records that another person could claim: a runner-up within the margin of their best link.

        Whom the best links alone would make one person are one person here, and whom people have: a third record of
        them is no rival, nor is one whom people have kept apart.
        """
        trial = Groups(self.members)
        for one, other in [*self.human, *((pair.one, pair.other) for pair in links)]:
            trial.join(one, other)
        best: dict[str, float] = {}
        for pair in links:
            for record in (pair.one, pair.other):
                best[record] = max(best.get(record, pair.bits), pair.bits)
        claimed = {
            record
            for pair in self.pairs
            if trial.find(pair.one) != trial.find(pair.other) and _ends(pair) not in self.apart
            for record in (pair.one, pair.other)
            if record in best and pair.bits > best[record] - self.rules.margin
        }
        elsewhere = {one for one, bits in best.items() if self.rivals.get(one, -inf) > bits - self.rules.margin}
        return claimed | elsewhere
