"""Which level of a part holds for two records: the numbers are the places of the levels in comparisons.py.

There the same ladders are said in SQL. Here each is one function, since a registry weighs hundreds of candidates for
each record that comes, and a function for each level takes twice as long.
"""

from collections.abc import Callable
from functools import lru_cache

from rapidfuzz.distance import Levenshtein

from sync.linkage.features import AGE, DAY, Features

Find = Callable[[Features, Features], int]

# A number of a document with a slip in it is to be long enough to be nobody else's.
LONG_NUMBER = 6

_edits = lru_cache(maxsize=500_000)(Levenshtein.distance)


def _is_near(left: str | None, right: str | None) -> bool:
    """At most one edit in a word of four letters, two from eight on."""
    if left is None or right is None:
        return False
    shorter, longer = len(left), len(right)
    if shorter > longer:
        shorter, longer = longer, shorter
    most = 2 if shorter >= 8 else 1
    # Most words are of other lengths, and so need no counting.
    return shorter >= 4 and longer - shorter <= most and _edits(left, right) <= most


def _find_same(column: str) -> Find:
    """The ladder of a value that is the same, is not known, or is another."""
    place = Features._fields.index(column)

    def find(one: Features, other: Features) -> int:
        left, right = one[place], other[place]
        if left is None or right is None:
            return 1
        return 0 if left == right else 2

    return find


find_phone = _find_same("phone")
find_second = _find_same("given_2")
find_sex = _find_same("sex")
find_nation = _find_same("nation")


def find_family(one: Features, other: Features) -> int:
    """The family name: the same spelling, sound or consonants, a slip apart, not known, another."""
    if one.family == other.family is not None:
        return 0
    if one.family_form == other.family_form is not None:
        return 1
    if one.family_key == other.family_key is not None:
        return 2
    if _is_near(one.family_form, other.family_form):
        return 3
    return 4 if one.family is None or other.family is None else 5


def find_mother(one: Features, other: Features) -> int:
    """The mother: both names, near in sound, the only name, the given or the family name, not known, another."""
    if one.mother_key == other.mother_key is not None:
        return 0
    if _is_near(one.mother_form, other.mother_form):
        return 1
    if one.mother_given == other.mother_given is not None:
        return 2 if one.mother_family is None or other.mother_family is None else 3
    if one.mother_family == other.mother_family is not None:
        return 4
    return 5 if one.mother_given is None or other.mother_given is None else 6


def find_first(one: Features, other: Features) -> int:
    """The first given name: the same, among the others, a slip apart, crossed with the family name, not known."""
    if one.given_1_form == other.given_1_form is not None:
        return 0
    mine, theirs = one.given_1, other.given_1
    if mine == theirs is not None:
        return 1
    if _share_given(one, other):
        return 2
    if _is_near(one.given_1_form, other.given_1_form):
        return 3
    if mine is None or theirs is None:
        return 5
    return 4 if mine == other.family_key and one.family_key == theirs else 6


def _share_given(one: Features, other: Features) -> bool:
    mine = one.given_1, one.given_2, one.given_3
    for key in (other.given_1, other.given_2, other.given_3):  # noqa: SIM110 (any() takes three times as long)
        if key is not None and key in mine:
            return True
    return False


def find_birth(one: Features, other: Features) -> int:
    """The birth: days, ages, years or bands, which never mix with one another's levels."""
    if one.band_from is not None or other.band_from is not None:
        return _find_bands(one, other)
    if one.birth_year is None or other.birth_year is None:
        return 0
    gap = abs(one.birth_year - other.birth_year)
    if one.birth_kind == DAY == other.birth_kind:
        return _find_days(one, other, gap)
    if one.birth_kind == AGE or other.birth_kind == AGE:
        return 5 if gap <= 1 else 6 if gap <= 3 else 7 if gap <= 6 else 13
    return 8 if gap == 0 else 9 if gap == 1 else 10 if gap <= 3 else 13


def _find_days(one: Features, other: Features, gap: int) -> int:
    left, right = one.birth_day or "", other.birth_day or ""
    if left == right:
        return 1
    # Two of year, month and day of the month the same, or day and month exchanged.
    alike = (left[:4] == right[:4]) + (left[5:7] == right[5:7]) + (left[8:] == right[8:])
    if alike == 2 or left == other.birth_swapped:
        return 2
    return 3 if gap <= 1 else 4


def _find_bands(one: Features, other: Features) -> int:
    """At least one age is known as a band: how far apart the years are at least in which both can be born."""
    first, second = one.band_from or one.birth_year, other.band_from or other.birth_year
    if first is None or second is None:
        return 0
    gap = max(first - (other.band_to or second), second - (one.band_to or first))
    return 11 if gap <= 1 else 12 if gap <= 4 else 13


def find_place(one: Features, other: Features) -> int:
    """The birth place: the same sound or first word, a slip apart, not known, another."""
    if one.place_form == other.place_form is not None:
        return 0
    if one.place_key == other.place_key is not None:
        return 1
    if _is_near(one.place_form, other.place_form):
        return 2
    return 3 if one.place_form is None or other.place_form is None else 4


def find_document(one: Features, other: Features) -> int:
    """The document: the same number, a slip in it, no two of one type, another."""
    left, right = one.document, other.document
    kind, their_kind = one.document_type, other.document_type
    if left is None or right is None:
        return 2
    if kind is None or their_kind is None or kind == their_kind:
        if left == right:
            return 0
        if len(left) >= LONG_NUMBER <= len(right) and _edits(left, right) <= 1:
            return 1
    return 2 if kind is None or kind != their_kind else 3


def find_twins(one: Features, other: Features) -> int:
    """Household and birth count as independent, and are not among twins: all but the given name agrees."""
    if one.birth_day is None or one.birth_day != other.birth_day:
        return 1
    at_home = (
        one.family_key == other.family_key is not None
        or one.mother_given == other.mother_given is not None
        or one.phone == other.phone is not None
    )
    return 0 if at_home and find_first(one, other) == 6 else 1
