"""Persons of one component: the records that heavy pairs and verdicts connect. The registry decides no larger piece.

Weights between groups (grouping.py), then persons (decision.py), then of all that is asked one question for each two
persons.
"""

from collections.abc import Iterable, Sequence

from sync.linkage.decision import Decision, Pair, Question, Rules, Verdict, decide_persons
from sync.linkage.grouping import weigh_groups


def find_floor(rules: Rules) -> float:
    """The weight from which on a pair can change a link: to be one, or to be the runner-up of one."""
    return rules.link_at - rules.margin


def decide_component(
    records: Iterable[str], pairs: Sequence[Pair], rules: Rules, verdicts: Iterable[Verdict] = ()
) -> Decision:
    """Make persons of the records; lighter pairs than the floor are none of a component's."""
    floor = find_floor(rules)
    weighed = weigh_groups([pair for pair in pairs if pair.bits >= floor], floor)
    heavy = Rules(rules.link_at, floor, rules.margin, rules.largest)
    decided = decide_persons(records, weighed, heavy, verdicts)
    return Decision(decided.persons, keep_heaviest(decided))


def keep_heaviest(decision: Decision) -> list[Question]:
    """The questions, heaviest first, without a second one about the same two persons."""
    person_of = {record: person for person in decision.persons for record in person}
    kept: dict[frozenset[tuple[str, ...]], Question] = {}
    for one in decision.questions:
        kept.setdefault(frozenset((person_of[one.pair.one], person_of[one.pair.other])), one)
    return list(kept.values())
