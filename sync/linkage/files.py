"""Link the records of one spreadsheet: what `teral link file` does. How a file is read: spreadsheet.py."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from sync.linkage.blocking import find_candidates, find_keys, find_too_common
from sync.linkage.component import ask_about_rest, decide_all, find_floor
from sync.linkage.decision import Decision, Pair, Rules, Verdict
from sync.linkage.fairness import GroupFigures, expect_fairness
from sync.linkage.grouping import weigh_groups
from sync.linkage.judging import judge_pair
from sync.linkage.model import LinkModel
from sync.linkage.record import LinkRecord
from sync.linkage.score import Scorer

# A key that more records share brings together whom nothing else does, at a cost that grows with the square.
MOST_COMMON = 5_000


@dataclass(frozen=True)
class Linked:
    """What was made of a file: the persons and questions that a registry would make of the same records.

    `weighed` are the candidate pairs with what each two records weigh alone. `left_out` keys were not looked up, as
    more than MOST_COMMON records share each.
    """

    decision: Decision
    left_out: int
    weighed: Sequence[Pair]


def link_records(records: Sequence[LinkRecord], model: LinkModel, threshold: float | None = None) -> Linked:
    """Weigh all candidate pairs and make persons by the automatic rules, linking from `threshold` bits on."""
    ordered = sorted(records, key=lambda one: one.record_id)
    cleaned = [model.cleaner.clean(one) for one in ordered]
    visits = [one.visit for one in ordered]
    scorer = Scorer(model, len(cleaned))
    keys = [find_keys(one, model.too_common) for one in cleaned]
    crowded = find_too_common(keys, MOST_COMMON)
    kept = [[key for key in own if key.hash not in crowded] for own in keys]
    weighed = [
        judge_pair(scorer, cleaned[one], cleaned[other], one_visit=visits[one] == visits[other] is not None)
        for one, other in find_candidates(kept)
    ]
    rules = Rules(model.link_at if threshold is None else threshold, model.review_at)
    return Linked(decide_weighed([one.record_id for one in cleaned], weighed, rules), len(crowded), weighed)


def decide_weighed(
    records: Iterable[str], weighed: Sequence[Pair], rules: Rules, verdicts: Sequence[Verdict] = ()
) -> Decision:
    """The persons, and every question that is open: those that no link depends on too."""
    decided, between = decide_all(records, weighed, rules, verdicts, in_pieces=True)
    light = [one for one in weighed if rules.review_at <= one.bits < find_floor(rules)]
    asked = ask_about_rest(decided, [(one.one, one.other, one.bits) for one in chain(light, between)], verdicts)
    return Decision(decided.persons, asked)


def weigh_pairs(linked: Linked) -> list[Pair]:
    """The pairs with the weights between groups (grouping.py): each is seen together with the other records of both."""
    return weigh_groups(linked.weighed)


def measure_file(records: Sequence[LinkRecord], linked: Linked) -> list[GroupFigures]:
    """Whom the model serves how well in this file, as it expects itself: a file tells no truth."""
    return expect_fairness(records, linked.decision.persons, linked.decision.questions, linked.weighed)


def list_clusters(decision: Decision) -> Iterator[tuple[str, str]]:
    """Each record with its person, named after its first record."""
    for person in decision.persons:
        for record in person:
            yield record, person[0]
