"""Link the records of one spreadsheet: what `teral link file` does. How a file is read: spreadsheet.py."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sync.linkage.blocking import find_candidates, find_keys, find_too_common
from sync.linkage.decision import Decision, Pair, Rules, decide_persons
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
    """What was made of a file: the persons by the rules, and the pairs by which they were made (grouping.py).

    `weighed` are the candidate pairs with what each two records weigh alone. `left_out` keys were not looked up, as
    more than MOST_COMMON records share each.
    """

    pairs: Sequence[Pair]
    decision: Decision
    left_out: int
    weighed: Sequence[Pair]


def link_records(records: Sequence[LinkRecord], model: LinkModel, threshold: float | None = None) -> Linked:
    """Weigh all candidate pairs and make persons by the automatic rules, linking from `threshold` bits on.

    The weights are those between groups (grouping.py): a pair is seen together with the other records of both.
    """
    cleaned = [model.cleaner.clean(one) for one in sorted(records, key=lambda one: one.record_id)]
    scorer = Scorer(model, len(cleaned))
    keys = [find_keys(one, model.too_common) for one in cleaned]
    crowded = find_too_common(keys, MOST_COMMON)
    kept = [[key for key in own if key.hash not in crowded] for own in keys]
    weighed = [judge_pair(scorer, cleaned[one], cleaned[other]) for one, other in find_candidates(kept)]
    pairs = weigh_groups(weighed)
    rules = Rules(model.link_at if threshold is None else threshold, model.review_at)
    return Linked(pairs, decide_persons([one.record_id for one in cleaned], pairs, rules), len(crowded), weighed)


def measure_file(records: Sequence[LinkRecord], linked: Linked) -> list[GroupFigures]:
    """Whom the model serves how well in this file, as it expects itself: a file tells no truth."""
    return expect_fairness(records, linked.decision.persons, linked.decision.questions, linked.weighed)


def list_clusters(decision: Decision) -> Iterator[tuple[str, str]]:
    """Each record with its person, named after its first record."""
    for person in decision.persons:
        for record in person:
            yield record, person[0]
