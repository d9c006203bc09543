"""Persons of one component: the records that people's word connects, or pairs that weigh enough to link.

A pair that is lighter, but near enough to be the runner-up of a link, connects nothing: in 200,000 invented records the
pairs that people are asked about make heaps of up to 1,522, and one record in 18 is in one that is too large to be
decided. It counts as a rival of the records at both its ends.

Weights between groups (grouping.py), then persons (decision.py), then of all that is asked one question for each two
persons.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sync.linkage.decision import (
    NOBODY,
    Decision,
    Groups,
    Pair,
    Question,
    Rules,
    Verdict,
    decide_persons,
    find_components,
)
from sync.linkage.grouping import weigh_groups


def find_floor(rules: Rules) -> float:
    """The weight from which on a pair can change a link: to be one, or to be the runner-up of one."""
    return rules.link_at - rules.margin


def decide_component(
    records: Iterable[str],
    pairs: Sequence[Pair],
    rules: Rules,
    verdicts: Iterable[Verdict] = (),
    rivals: Mapping[str, float] = NOBODY,
) -> Decision:
    """Make persons of the records; lighter pairs than the floor are none of a component's.

    `rivals` tells how much a record weighs at most against anybody outside.
    """
    floor = find_floor(rules)
    weighed = weigh_groups([pair for pair in pairs if pair.bits >= floor], floor)
    heavy = Rules(rules.link_at, floor, rules.margin, rules.largest)
    decided = decide_persons(records, weighed, heavy, verdicts, rivals)
    return Decision(decided.persons, keep_heaviest(decided))


def decide_all(
    records: Iterable[str],
    pairs: Iterable[Pair],
    rules: Rules,
    verdicts: Iterable[Verdict] = (),
    *,
    in_pieces: bool = False,
) -> tuple[Decision, list[Pair]]:
    """Make persons of all records, component by component, as a registry does.

    With them the heavy pairs that no component decides: they lie between two, or in one that is too large. Such a one
    is decided `in_pieces` where there is no queue that it could go to.
    """
    known = set(records)
    said = [one for one in verdicts if {one.one, one.other} <= known]
    heavy = [pair for pair in pairs if pair.bits >= find_floor(rules)]
    components = [
        piece
        for members, inside in find_components(known, heavy, said, rules.link_at)
        for piece in (find_pieces(members, inside, rules.largest, said) if in_pieces else [members])
    ]
    component_of = {record: number for number, members in enumerate(components) for record in members}
    own = defaultdict[int, list[Verdict]](list)
    for one in said:
        own[component_of[one.one]].append(one)
    inside, between = _split_pairs(components, component_of, heavy, rules.largest)
    rivals = _find_rivals(between, said)
    # Most records are alone, and nothing is to be decided about them.
    persons = [tuple(members) for members in components if len(members) == 1]
    decided = [
        decide_component(members, inside[number], rules, own[number], rivals)
        for number, members in enumerate(components)
        if len(members) > 1
    ]
    persons += [person for one in decided for person in one.persons]
    questions = [question for one in decided for question in one.questions]
    questions.sort(key=lambda question: (-question.pair.bits, question.pair.one, question.pair.other))
    return Decision(sorted(persons), questions), between


def find_pieces(
    records: Sequence[str], pairs: Iterable[Pair], largest: int, verdicts: Iterable[Verdict] = ()
) -> list[list[str]]:
    """Parts of a component that are not too large: its heaviest pairs connect until one more would be too many.

    Whom people made one person stay together, however many they are.
    """
    groups, full, own = Groups(records), set[str](), set(records)
    for one in verdicts:
        if one.same and one.one in own:
            groups.join(one.one, one.other)
    for pair in sorted(pairs, key=lambda one: (-one.bits, one.one, one.other)):
        ends = {groups.find(pair.one), groups.find(pair.other)}
        if len(ends) == 1:
            continue
        if ends & full or sum(len(groups.members[end]) for end in ends) > largest:
            full |= ends
        else:
            groups.join(pair.one, pair.other)
    return [sorted(members) for _, members in sorted(groups.members.items())]


def _split_pairs(
    components: Sequence[Sequence[str]], component_of: Mapping[str, int], pairs: Iterable[Pair], largest: int
) -> tuple[Mapping[int, Sequence[Pair]], list[Pair]]:
    """The pairs that each component decides, and those that none does."""
    inside, between = defaultdict[int, list[Pair]](list), list[Pair]()
    for pair in pairs:
        number = component_of[pair.one]
        decided = number == component_of[pair.other] and len(components[number]) <= largest
        (inside[number] if decided else between).append(pair)
    return inside, between


def _find_rivals(pairs: Iterable[Pair], verdicts: Iterable[Verdict]) -> dict[str, float]:
    """How much each record weighs at most against one of another component, but for whom people have kept apart."""
    apart = {frozenset((one.one, one.other)) for one in verdicts if not one.same}
    rivals: dict[str, float] = {}
    for pair in pairs:
        if frozenset((pair.one, pair.other)) not in apart:
            for record in (pair.one, pair.other):
                rivals[record] = max(rivals.get(record, pair.bits), pair.bits)
    return rivals


def keep_heaviest(decision: Decision) -> list[Question]:
    """The questions, heaviest first, without a second one about the same two persons."""
    person_of = {record: person for person in decision.persons for record in person}
    kept: dict[frozenset[tuple[str, ...]], Question] = {}
    for one in decision.questions:
        kept.setdefault(frozenset((person_of[one.pair.one], person_of[one.pair.other])), one)
    return list(kept.values())


def ask_about_rest(
    decided: Decision, light: Iterable[tuple[str, str, float]], verdicts: Iterable[Verdict] = ()
) -> list[Question]:
    """The questions of a decision with those that no link depends on: one for each two persons, not yet answered.

    A heavy pair that the decision does not ask about waits for the answer to another.
    """
    person_of = {record: place for place, person in enumerate(decided.persons) for record in person}

    def find_persons(one: str, other: str) -> tuple[int, int]:
        left, right = person_of[one], person_of[other]
        return min(left, right), max(left, right)

    answered = {find_persons(one.one, one.other) for one in verdicts if {one.one, one.other} <= person_of.keys()}
    asked = {find_persons(one.pair.one, one.pair.other): one for one in decided.questions}
    for one, other, bits in sorted(light, key=lambda each: (-each[2], each)):
        persons = find_persons(one, other)
        if persons[0] != persons[1] and persons not in answered and persons not in asked:
            asked[persons] = Question(Pair(one, other, bits), "weight")
    return list(asked.values())
