"""A model from records alone: expectation maximisation over all pairs, without a single label.

Four kinds of pairs explain what is seen: of one person, of one household, of twins, of strangers. Without the second
and third the first would learn from brothers and sisters that a differing given name is normal. Pairs that no key
brings together are known by a sample, so that what strangers share is not learnt from candidates, who share by choice.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import inf, prod
from random import Random

from sync.linkage.blocking import Key, find_candidates, find_keys, find_most_common, find_too_common
from sync.linkage.comparisons import COMPARISONS, Comparison, Level
from sync.linkage.counting import count_name_order, count_shares, learn_aliases, shorten
from sync.linkage.decision import Verdict
from sync.linkage.errors import LinkageRefused
from sync.linkage.features import FREQUENCIES, Cleaner, Features
from sync.linkage.model import LinkModel
from sync.linkage.record import LinkRecord

Pattern = tuple[int, ...]

# Where learning starts: how often the levels of each part hold between two records of one person. Rough is enough.
START: Mapping[str, Sequence[float]] = {
    "family name": (0.35, 0.25, 0.20, 0.06, 0.04, 0.10),
    "mother": (0.30, 0.02, 0.08, 0.05, 0.02, 0.45, 0.08),
    "phone": (0.15, 0.65, 0.20),
    "first given name": (0.60, 0.15, 0.05, 0.05, 0.02, 0.03, 0.10),
    "second given name": (0.10, 0.80, 0.10),
    "birth": (0.05, 0.30, 0.05, 0.02, 0.02, 0.10, 0.10, 0.05, 0.12, 0.08, 0.06, 0.02, 0.005, 0.05),
    "sex": (0.95, 0.04, 0.01),
    "nationality": (0.85, 0.08, 0.07),
    "birth place": (0.45, 0.05, 0.02, 0.40, 0.08),
    "document": (0.10, 0.01, 0.86, 0.03),
}
# Where two of one household begin to differ from strangers, and of what they have frequencies of their own.
LIVES_TOGETHER = frozenset({"household", "origin"})
FREE_IN_HOUSEHOLD = LIVES_TOGETHER | {"birth"}
# The share of candidates that are of one person, before anything is known.
_FIRST_GUESS = 0.05
# Its one level corrects the others' sum; how far, is found when they are learnt.
TWINS = "twins"
_TWINS_AT = next(place for place, one in enumerate(COMPARISONS) if one.name == TWINS)
_SEX_AT = next(place for place, one in enumerate(COMPARISONS) if one.name == "sex")
_SEX_UNKNOWN = 1
_LEAST_TWIN_BITS, _TWIN_STEP = -24.0, 0.01
_ROUNDS = 6
# So many pairs' worth of independence is mixed into each cell: a combination never seen is not impossible.
_PRIOR_PAIRS = 30.0
# Of what fewer pairs show, nothing is learnt.
_FEWEST_PAIRS = 5.0
_LARGEST_SAMPLE, _SAMPLE_PER_RECORD = 300_000, 20
# Much is learnt from those whom only a common key brings together, so that learning looks further than look-up.
_MOST_LEARNT = 2_000
_SEED = 20260601
_FEWEST = 0.5
_FEWEST_RECORDS = 200


def train_model(records: Sequence[LinkRecord], base: LinkModel, labels: Collection[Verdict] = ()) -> LinkModel:
    """A model learnt from these records. Thresholds are the base's; the same records and labels, the same model.

    Labels are what people said about two of the records. They take the place of what would be believed of these pairs;
    of all others nothing is concluded from them, so that it does no harm that people are asked about doubtful pairs.
    Spellings that people often found with one person are learnt as aliases, beside those of the base.
    """
    if len(records) < _FEWEST_RECORDS:
        raise LinkageRefused("link_file_too_few", least=_FEWEST_RECORDS, count=len(records))
    ordered = sorted(records, key=lambda one: one.record_id)
    name_order = count_name_order(ordered)
    learnt = learn_aliases(ordered, base.aliases, labels)
    aliases = {**base.aliases, **{alias: name for alias, (name, _) in learnt.items()}}
    plain = [Cleaner(aliases, name_order, {}, {}).clean(one) for one in ordered]
    shares = {name: count_shares(plain, name) for name in FREQUENCIES}
    keys = [find_keys(one) for one in plain]
    crowded = find_too_common(keys, _MOST_LEARNT)
    kept = [[key for key in own if key.hash not in crowded] for own in keys]
    patterns = _count_patterns(plain, kept, labels)
    kinds = learn(patterns)
    chances = zip(COMPARISONS, kinds.match, kinds.u, strict=True)
    cells = {one.name: list(zip(map(shorten, m), map(shorten, u), strict=True)) for one, m, u in chances}
    cells[TWINS][0] = shorten(2.0 ** weigh_twins(kinds, patterns)), 1.0
    return LinkModel(
        cells=cells,
        matches_per_record=shorten(kinds.matches / len(ordered)),
        frequencies={name: known for name, (known, _) in shares.items()},
        rarest={name: rarest for name, (_, rarest) in shares.items()},
        name_order=name_order,
        aliases=aliases,
        learnt={**base.learnt, **{alias: count for alias, (_, count) in learnt.items()}},
        too_common=find_too_common(keys, find_most_common(len(ordered))),
        link_at=base.link_at,
        review_at=base.review_at,
    )


@dataclass(frozen=True)
class Patterns:
    """Pairs by their cells: `counts` says how many there are of each pattern. `open` ones can be of one person.

    Pairs that no key brings together are a sample, weighted up; they speak for strangers and households only. Of
    `same` and `apart` ones people have told.
    """

    open: Mapping[Pattern, float]
    others: Mapping[Pattern, float]
    same: Mapping[Pattern, float] = field(default_factory=dict)
    apart: Mapping[Pattern, float] = field(default_factory=dict)

    @property
    def total(self) -> float:
        return sum(sum(each.values()) for each in (self.open, self.others, self.same, self.apart))


def _count_patterns(records: Sequence[Features], keys: Sequence[list[Key]], labels: Iterable[Verdict] = ()) -> Patterns:
    place = {one.record_id: number for number, one in enumerate(records)}
    told = {
        (min(ends), max(ends)): one.same
        for one in labels
        if (ends := (place.get(one.one, -1), place.get(one.other, -1))) and min(ends) >= 0
    }
    candidates = set(find_candidates(keys)).difference(told)
    everything = len(records) * (len(records) - 1) // 2
    tries = min(_LARGEST_SAMPLE, _SAMPLE_PER_RECORD * len(records))
    sample = [pair for pair in _sample_pairs(len(records), tries) if pair not in candidates and pair not in told]
    weight = (everything - len(candidates) - len(told)) / max(1, len(sample))
    others = _count(records, sample)
    return Patterns(
        _count(records, candidates),
        {pattern: count * weight for pattern, count in others.items()},
        _count(records, [pair for pair, same in told.items() if same]),
        _count(records, [pair for pair, same in told.items() if not same]),
    )


def _count(records: Sequence[Features], pairs: Iterable[tuple[int, int]]) -> Counter[Pattern]:
    finders = [one.find_cell for one in COMPARISONS]
    return Counter(tuple(find(records[one], records[other]) for find in finders) for one, other in pairs)


def _sample_pairs(records: int, tries: int) -> Iterator[tuple[int, int]]:
    dice = Random(_SEED)  # noqa: S311 (a sample, not a secret)
    for _ in range(tries):
        one, other = sorted((dice.randrange(records), dice.randrange(records)))
        if one != other:
            yield one, other


@dataclass(frozen=True)
class _Kinds:
    """What is believed of the kinds of pairs: how many there are, and the probabilities of their cells.

    `u` is of all pairs that are not of one person: households and strangers, freed of the matches.
    """

    matches: float
    mates: float
    twins: float
    total: float
    match: Sequence[Sequence[float]]
    mate: Sequence[Sequence[float]]
    stranger: Sequence[Sequence[float]]
    u: Sequence[Sequence[float]]


def learn(patterns: Patterns) -> _Kinds:
    """What the patterns say of the kinds, after a fixed number of rounds: more of them would follow the noise."""
    everything = _Tally()
    for group in (patterns.open, patterns.others, patterns.same, patterns.apart):
        for pattern, count in group.items():
            everything.add(pattern, count)
    all_pairs = everything.estimate()
    start = [_start_cells(one) for one in COMPARISONS]
    mate = [
        mine if one.name in LIVES_TOGETHER else theirs
        for one, mine, theirs in zip(COMPARISONS, start, all_pairs, strict=True)
    ]
    guess = max(1.0, _FIRST_GUESS * sum(patterns.open.values()))
    kinds = _Kinds(guess, guess, guess * _FIRST_GUESS, patterns.total, start, mate, all_pairs, all_pairs)
    for _ in range(_ROUNDS):
        kinds = _improve(kinds, patterns, all_pairs)
    return kinds


def _start_cells(comparison: Comparison) -> list[float]:
    if comparison.name == TWINS:
        return [1.0] * comparison.size
    shares = [[share / sum(START[part.name]) for share in START[part.name]] for part in comparison.parts]
    return [prod(cell) for cell in product(*shares)]


def _improve(kinds: _Kinds, patterns: Patterns, all_pairs: Sequence[Sequence[float]]) -> _Kinds:
    """One round: who each pair is by what is believed, then what is believed by who each pair is."""
    match, mate, stranger, rest = _Tally(), _Tally(), _Tally(), _Tally()
    twins = 0.0
    for pattern, count in patterns.same.items():
        match.add(pattern, count)
    for pattern, count, (of_match, of_mate, of_twins, of_stranger) in _judge_doubtful(kinds, patterns):
        twins += count * of_twins
        match.add(pattern, count * of_match)
        mate.add(pattern, count * of_mate)
        stranger.add(pattern, count * of_stranger)
        rest.add(pattern, count * (1 - of_match))
    for pattern, count in patterns.others.items():
        _, of_mate, _, of_stranger = _judge(kinds, pattern)
        mate.add(pattern, count * of_mate)
        stranger.add(pattern, count * of_stranger)
        rest.add(pattern, count)
    mates = [
        learnt if one.name in FREE_IN_HOUSEHOLD else fixed
        for one, learnt, fixed in zip(COMPARISONS, mate.estimate(), all_pairs, strict=True)
    ]
    u = match.estimate_others(rest)
    return _Kinds(match.total, mate.total, twins, kinds.total, match.estimate(), mates, stranger.estimate(), u)


def _judge_doubtful(
    kinds: _Kinds, patterns: Patterns
) -> Iterator[tuple[Pattern, float, tuple[float, float, float, float]]]:
    """Every pattern that is to be judged, with how likely it is of each kind; pairs told apart are of no match."""
    for pattern, count in patterns.open.items():
        yield pattern, count, _judge(kinds, pattern)
    for pattern, count in patterns.apart.items():
        match, mate, twins, stranger = _judge(kinds, pattern)
        rest = (1 - match) or 1.0
        yield pattern, count, (0.0, mate / rest, twins / rest, stranger / rest)


def _judge(kinds: _Kinds, pattern: Pattern) -> tuple[float, float, float, float]:
    """How likely a pair of this pattern is to be of one person, of one household, of twins, of strangers.

    Twins live together and share the day; in all else they are as any two persons. Only their sex, every second time
    another, tells them from one person under two names: where it is not known none are supposed.
    """
    like_twins = pattern[_TWINS_AT] == 0
    match, mate = kinds.matches, 0.0 if like_twins else kinds.mates
    twins = kinds.twins if like_twins and pattern[_SEX_AT] != _SEX_UNKNOWN else 0.0
    stranger = kinds.total - kinds.matches - kinds.mates - kinds.twins
    for place, cell in enumerate(pattern):
        match *= kinds.match[place][cell]
        mate *= kinds.mate[place][cell]
        twins *= 1.0 if COMPARISONS[place].name == "birth" else kinds.mate[place][cell]
        stranger *= kinds.stranger[place][cell]
    total = match + mate + twins + stranger
    return match / total, mate / total, twins / total, stranger / total


def weigh_twins(kinds: _Kinds, patterns: Patterns) -> float:
    """The bits that make pairs like twins' as often matches, by their weights, as learning believes; never above 0."""
    alike = [(pattern, count) for pattern, count in patterns.open.items() if pattern[_TWINS_AT] == 0]
    believed = sum(count * _judge(kinds, pattern)[0] for pattern, count in alike)
    odds = [(kinds.matches / (kinds.total - kinds.matches) * _ratio(kinds, pattern), count) for pattern, count in alike]
    low, high = _LEAST_TWIN_BITS, 0.0
    while high - low > _TWIN_STEP:
        middle = (low + high) / 2
        expected = sum(count * (1 - 1 / (1 + odd * 2.0**middle)) for odd, count in odds)
        low, high = (low, middle) if expected > believed else (middle, high)
    return low


def _ratio(kinds: _Kinds, pattern: Pattern) -> float:
    return prod(kinds.match[place][cell] / kinds.u[place][cell] for place, cell in enumerate(pattern))


class _Tally:
    """Weighted counts of cells, and probabilities made of them."""

    def __init__(self) -> None:
        self.total = 0.0
        self._counts = [[0.0] * one.size for one in COMPARISONS]

    def add(self, pattern: Pattern, weight: float) -> None:
        """Count so many pairs of this pattern."""
        self.total += weight
        for place, cell in enumerate(pattern):
            self._counts[place][cell] += weight

    def estimate(self) -> list[list[float]]:
        """The probability of each cell, drawn a little towards what its parts say one by one."""
        return [_smooth(one, counts) for one, counts in zip(COMPARISONS, self._counts, strict=True)]

    def estimate_others(self, others: "_Tally") -> list[list[float]]:
        """The probabilities of cells among other pairs than these, fit to be held against those of these."""
        tallies = zip(COMPARISONS, self._counts, others._counts, strict=True)
        return [_smooth_others(one, counts, theirs) for one, counts, theirs in tallies]


def _smooth(comparison: Comparison, counts: Sequence[float]) -> list[float]:
    if comparison.name == TWINS:
        return [1.0] * comparison.size
    sizes = [range(len(part.levels)) for part in comparison.parts]
    shares = [[_FEWEST] * len(size) for size in sizes]
    for levels, count in zip(product(*sizes), counts, strict=True):
        for place, level in enumerate(levels):
            shares[place][level] += count
    total = sum(counts)
    apart = (
        prod(share[level] / sum(share) for share, level in zip(shares, levels, strict=True))
        for levels in product(*sizes)
    )
    return [
        (count + _PRIOR_PAIRS * likely) / (total + _PRIOR_PAIRS) for count, likely in zip(counts, apart, strict=True)
    ]


def _smooth_others(comparison: Comparison, counts: Sequence[float], others: Sequence[float]) -> list[float]:
    """Smooth the counts of others so that what hardly anybody showed weighs little.

    That a million pairs of strangers showed something never is no evidence: all of them may be of records that say
    what others leave open. A cell that few pairs showed weighs what its parts weigh one by one, and no more or less
    than any cell that many showed; a level that is declared for it weighs that where few showed it, as a missing one
    weighs nothing.
    """
    m, u = _smooth(comparison, counts), _smooth(comparison, others)
    often = [min(pair) >= _FEWEST_PAIRS for pair in zip(counts, others, strict=True)]
    seen = [one / other for one, other, enough in zip(m, u, often, strict=True) if enough] or [1.0]
    weights = _weigh_levels(comparison, counts, others)
    alone = len(comparison.parts) == 1
    least, most = (-inf, inf) if alone else (min(seen), max(seen))
    likely = [min(max(prod(one), least), most) for one in product(*weights)]
    return [
        other if enough or (alone and level[0].unseen is None) else min(1.0, one / ratio)
        for level, one, other, enough, ratio in zip(comparison.cells, m, u, often, likely, strict=True)
    ]


def _weigh_levels(comparison: Comparison, counts: Sequence[float], others: Sequence[float]) -> list[list[float]]:
    """How many times as likely each level of each part is among the counted as among the others."""
    weights = []
    for place, part in enumerate(comparison.parts):
        mine, theirs = [_FEWEST] * len(part.levels), [_FEWEST] * len(part.levels)
        for cell, one, other in zip(comparison.cells, counts, others, strict=True):
            level = part.levels.index(cell[place])
            mine[level] += one
            theirs[level] += other
        share = sum(theirs) / sum(mine)
        levels = zip(part.levels, mine, theirs, strict=True)
        weights.append([_weigh_level(level, one, other, share) for level, one, other in levels])
    return weights


def _weigh_level(level: Level, one: float, other: float, share: float) -> float:
    return level.unseen if level.unseen is not None and min(one, other) < _FEWEST_PAIRS else share * one / other
