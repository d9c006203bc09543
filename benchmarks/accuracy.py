"""How good weighed pairs and groups are, against the truth: best F1, recall at a precision, groups of two persons."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

Scored = Sequence[tuple[str, str, float]]


@dataclass(frozen=True)
class Accuracy:
    """`f1` is the best over all thresholds; `at_99` and `at_999` the highest recall at that precision or better."""

    f1: float
    at_99: float
    at_999: float
    blocking: float

    def __str__(self) -> str:
        return f"F1 {self.f1:.4f}  R@P.99 {self.at_99:.3f}  R@P.999 {self.at_999:.3f}  pairs found {self.blocking:.3f}"


def measure_pairs(scored: Scored, truth: Mapping[str, object], keep: Iterable[str] | None = None) -> Accuracy:
    """The accuracy of scored pairs; with `keep` only of pairs that touch one of these records."""
    kept = set(truth) if keep is None else set(keep)
    total = _count_pairs(truth, kept)
    marked = [(score, truth[one] == truth[other]) for one, other, score in scored if one in kept or other in kept]
    marked.sort(key=lambda one: -one[0])
    right = said = 0
    best = {"f1": 0.0, "at_99": 0.0, "at_999": 0.0}
    for _, tied in groupby(marked, key=lambda one: one[0]):
        answers = [answer for _, answer in tied]
        right, said = right + sum(answers), said + len(answers)
        precision, recall = right / said, right / max(1, total)
        best["f1"] = max(best["f1"], 2 * precision * recall / max(1e-9, precision + recall))
        best["at_99"] = max(best["at_99"], recall if precision >= 0.99 else 0.0)
        best["at_999"] = max(best["at_999"], recall if precision >= 0.999 else 0.0)
    return Accuracy(**best, blocking=right / max(1, total))


def _count_pairs(truth: Mapping[str, object], kept: set[str]) -> int:
    """True pairs with at least one end among the kept: all pairs less those with no end there."""
    everybody = Counter(truth.values())
    rest = Counter(person for record, person in truth.items() if record not in kept)
    return _pairs_in(everybody) - _pairs_in(rest)


def _pairs_in(groups: Counter[object]) -> int:
    return sum(size * (size - 1) // 2 for size in groups.values())


def find_share(scored: Scored, truth: Mapping[str, object]) -> float:
    """The share of records of persons with several that meet at least one other record of their person."""
    sizes = Counter(truth.values())
    several = {record for record, person in truth.items() if sizes[person] > 1}
    met = {end for one, other, _ in scored if truth[one] == truth[other] for end in (one, other)}
    return len(met & several) / max(1, len(several))


def count_mixed(persons: Iterable[Sequence[str]], truth: Mapping[str, object]) -> int:
    """How many groups hold records of more than one person."""
    return sum(len({truth[record] for record in person}) > 1 for person in persons)


def find_recall(persons: Iterable[Sequence[str]], truth: Mapping[str, object]) -> float:
    """The share of true pairs that are in one group."""
    found = sum(_pairs_in(Counter(truth[record] for record in person)) for person in persons)
    return found / max(1, _pairs_in(Counter(truth.values())))


def b_cubed(persons: Iterable[Sequence[str]], truth: Mapping[str, object]) -> float:
    """The B³ F1 of the groups: precision and recall of each record's group, averaged over the records."""
    sizes = Counter(truth.values())
    precision = recall = 0.0
    for person in persons:
        for owner, own in Counter(truth[record] for record in person).items():
            precision += own * own / len(person)
            recall += own * own / sizes[owner]
    return 2 * precision * recall / (precision + recall) / len(truth)
