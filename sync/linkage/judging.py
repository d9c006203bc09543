"""What a pair must have beside its weight to be linked without a human: corroboration, no conflict, and two visits.

All follow from the levels that it reaches in a few parts, whether they are found here or by a batch.
"""

from functools import cache
from typing import NamedTuple

from sync.linkage.comparisons import BIRTH, DOCUMENT, FIRST, MOTHER, SEX
from sync.linkage.decision import Pair
from sync.linkage.features import Features
from sync.linkage.score import Scorer

JUDGED = (DOCUMENT, FIRST, BIRTH, MOTHER, SEX)


class Judgement(NamedTuple):
    """What a pair says beside its weight.

    `corroborated`: more agrees than a household shares, which is a document, the day of birth, or given name, year and
    mother. `conflict`: something known on both sides cannot be of one person, short of a grave slip.

    `told_apart`: if they are of one visit, they are most likely of two people, for brothers and sisters come together.
    Of 7,200 such pairs in 50,000 invented records six to nineteen are of one person, and of the groups that a low
    threshold, of 1 bit, makes of two persons, half are made by these. One who is written down twice with the same words
    or the same papers, on the way in and on the way out, is not meant.
    """

    corroborated: bool
    conflict: bool
    told_apart: bool


def judge_pair(scorer: Scorer, one: Features, other: Features, *, one_visit: bool = False) -> Pair:
    """The pair as decision.py takes it. `one_visit`: one site made both on one day."""
    bits = scorer.score(one, other)
    return make_pair(one.record_id, other.record_id, bits, judge(one, other), one_visit=one_visit)


def make_pair(one: str, other: str, bits: float, judgement: Judgement, *, one_visit: bool) -> Pair:
    """A pair that was weighed and judged, smaller record id first."""
    beside = one_visit and judgement.told_apart
    return Pair(min(one, other), max(one, other), bits, judgement.corroborated, judgement.conflict, beside)


def judge(one: Features, other: Features) -> Judgement:
    """What two records say of each other."""
    return judge_levels(one[1:] == other[1:], *(part.find_level(one, other) for part in JUDGED))


@cache
def judge_levels(same: bool, *levels: int) -> Judgement:
    """What a pair says that reaches these levels in the parts JUDGED; `same` where all that is read is equal."""
    labels = (part.levels[level].label for part, level in zip(JUDGED, levels, strict=True))
    document, first, birth, mother, sex = labels
    same_birth = birth in _SAME_DAY or (birth in _SAME_YEAR and mother in _SAME_MOTHER)
    return Judgement(
        document in _SAME_DOCUMENT or (first in _SAME_GIVEN and same_birth),
        birth in _OTHER_BIRTH or "different" in (document, first, mother, sex),
        not same and document not in _SAME_DOCUMENT,
    )


_SAME_DOCUMENT = {"the same number", "one slip in the number"}
_SAME_GIVEN = {"the same sound", "the same consonants", "among the given names", "crossed with the family name"}
_SAME_DAY = {"the same day"}
_SAME_YEAR = {"one slip in the day", "the same year", "an age, the year fits"}
_SAME_MOTHER = {"both names the same", "near in sound"}
_OTHER_BIRTH = {"days of one year, not the same", "days, not the same", "different"}
