"""How alike two records are: comparisons of one or several parts, each part a ladder of levels from alike to unlike.

Every level is said twice, side by side: to Python and to SQL (DuckDB and Spark know every function used). Fields that
agree together inside a household are one comparison, whose cells are all combinations of its parts' levels: summed as
if they were independent they would make one person of a whole family.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product

from rapidfuzz.distance import Levenshtein

from sync.linkage.features import AGE, DAY, Features

Holds = Callable[[Features, Features], bool]

_edits = lru_cache(maxsize=500_000)(Levenshtein.distance)


@dataclass(frozen=True, slots=True)
class Level:
    """One step of a ladder. The first level that holds is the pair's; the last one of a part always does.

    `unseen` is what it tells where too few pairs show it to learn from: how many times as likely it is between two
    records of one person as between two others. Where nothing can be compared that is 1.
    """

    label: str
    holds: Holds
    sql: str
    unseen: float | None = None


OTHER = Level("different", lambda one, other: True, "TRUE")


@dataclass(frozen=True, slots=True)
class Part:
    """A ladder of levels, for one field or a few that say one thing."""

    name: str
    levels: tuple[Level, ...]

    def find_level(self, one: Features, other: Features) -> int:
        """The first level that holds."""
        place = 0
        while not self.levels[place].holds(one, other):
            place += 1
        return place


@dataclass(frozen=True)
class Comparison:
    """Parts weighed together."""

    name: str
    parts: tuple[Part, ...]

    @cached_property
    def cells(self) -> list[tuple[Level, ...]]:
        """All combinations of the parts' levels; in this order the first whose conditions hold is the right one."""
        return list(product(*(part.levels for part in self.parts)))

    @property
    def size(self) -> int:
        """How many cells there are."""
        return len(self.cells)

    def find_cell(self, one: Features, other: Features) -> int:
        """The combination that holds, by its place in `cells`."""
        cell = 0
        for part in self.parts:
            cell = cell * len(part.levels) + part.find_level(one, other)
        return cell

    def describe_cell(self, cell: int) -> tuple[tuple[str, str], ...]:
        """The parts with the labels of their levels."""
        return tuple((part.name, level.label) for part, level in zip(self.parts, self.cells[cell], strict=True))

    def list_conditions(self) -> list[tuple[str, str]]:
        """Label and SQL condition of each cell; the last one is what is left."""
        return [(_label(levels), _condition(levels)) for levels in self.cells]


def _label(levels: tuple[Level, ...]) -> str:
    return ", ".join(level.label for level in levels)


def _condition(levels: tuple[Level, ...]) -> str:
    return " AND ".join(f"({level.sql})" for level in levels if level is not OTHER) or "ELSE"


def _same(column: str) -> tuple[Holds, str]:
    """Known on both sides and equal."""
    place = Features._fields.index(column)

    def holds(one: Features, other: Features) -> bool:
        value = one[place]
        return value is not None and value == other[place]

    return holds, f"{column}_l = {column}_r"


def _missing(column: str) -> Level:
    place = Features._fields.index(column)
    return Level(
        "not known",
        lambda one, other: one[place] is None or other[place] is None,
        f"{column}_l IS NULL OR {column}_r IS NULL",
        unseen=1.0,
    )


def _near(column: str) -> tuple[Holds, str]:
    """At most one edit in a word of four letters, two from eight on."""
    place = Features._fields.index(column)

    def holds(one: Features, other: Features) -> bool:
        left, right = one[place], other[place]
        if left is None or right is None:
            return False
        shorter, longer = len(left), len(right)  # type: ignore[arg-type]
        if shorter > longer:
            shorter, longer = longer, shorter
        most = 2 if shorter >= 8 else 1
        # Most words are of other lengths, and so need no counting.
        return shorter >= 4 and longer - shorter <= most and _edits(left, right) <= most

    left, right = f"{column}_l", f"{column}_r"
    shortest = f"least(length({left}), length({right}))"
    return holds, (f"{shortest} >= 4 AND levenshtein({left}, {right}) <= CASE WHEN {shortest} >= 8 THEN 2 ELSE 1 END")


def _share_given(one: Features, other: Features) -> bool:
    mine = one.given_1, one.given_2, one.given_3
    for key in (other.given_1, other.given_2, other.given_3):  # noqa: SIM110 (any() takes three times as long)
        if key is not None and key in mine:
            return True
    return False


_GIVEN = ("given_1", "given_2", "given_3")
_SHARE_GIVEN = " OR ".join(f"{left}_l = {right}_r" for left in _GIVEN for right in _GIVEN)

FAMILY = Part(
    "family name",
    (
        Level("the same spelling", *_same("family")),
        Level("the same sound", *_same("family_form")),
        Level("the same consonants", *_same("family_key")),
        Level("a slip apart", *_near("family_form")),
        _missing("family"),
        OTHER,
    ),
)
MOTHER = Part(
    "mother",
    (
        Level("both names the same", *_same("mother_key")),
        Level("near in sound", *_near("mother_form")),
        Level(
            "one name alone, the same",
            lambda one, other: (
                one.mother_given == other.mother_given is not None
                and (one.mother_family is None or other.mother_family is None)
            ),
            "mother_given_l = mother_given_r AND (mother_family_l IS NULL OR mother_family_r IS NULL)",
        ),
        Level("given name the same", *_same("mother_given")),
        Level("family name the same", *_same("mother_family")),
        _missing("mother_given"),
        OTHER,
    ),
)
PHONE = Part("phone", (Level("the same", *_same("phone")), _missing("phone"), OTHER))

FIRST = Part(
    "first given name",
    (
        Level("the same sound", *_same("given_1_form")),
        Level("the same consonants", *_same("given_1")),
        Level("among the given names", _share_given, _SHARE_GIVEN),
        Level("a slip apart", *_near("given_1_form")),
        Level(
            "crossed with the family name",
            lambda one, other: (
                one.given_1 == other.family_key is not None and one.family_key == other.given_1 is not None
            ),
            "given_1_l = family_key_r AND family_key_l = given_1_r",
        ),
        _missing("given_1"),
        OTHER,
    ),
)
SECOND = Part("second given name", (Level("the same", *_same("given_2")), _missing("given_2"), OTHER))


def _days_alike(one: Features, other: Features) -> bool:
    """Two of year, month and day of the month the same, or day and month exchanged."""
    left, right = one.birth_day, other.birth_day
    if left is None or right is None:
        return False
    if left == other.birth_swapped:
        return True
    return (left[:4] == right[:4]) + (left[5:7] == right[5:7]) + (left[8:] == right[8:]) == 2


_DAYS_ALIKE = (
    "birth_day_l = birth_swapped_r"
    " OR substr(birth_day_l, 1, 7) = substr(birth_day_r, 1, 7)"
    " OR substr(birth_day_l, 5, 6) = substr(birth_day_r, 5, 6)"
    " OR (substr(birth_day_l, 1, 4) = substr(birth_day_r, 1, 4)"
    " AND substr(birth_day_l, 9, 2) = substr(birth_day_r, 9, 2))"
)
_DAYS_KNOWN = "birth_kind_l = 'day' AND birth_kind_r = 'day'"
_ONE_AGE = "(birth_kind_l = 'age' OR birth_kind_r = 'age')"
_GAP = "abs(birth_year_l - birth_year_r)"


def _gap(one: Features, other: Features) -> int:
    return abs((one.birth_year or 0) - (other.birth_year or 0))


def _days_known(one: Features, other: Features) -> bool:
    return one.birth_kind == DAY == other.birth_kind


def _years_apart(least: int, most: int, *, aged: bool) -> tuple[Holds, str]:
    """Known years so far apart; one of them from an age, or neither."""

    def holds(one: Features, other: Features) -> bool:
        if (one.birth_kind == AGE or other.birth_kind == AGE) is not aged:
            return False
        # Two bands have no year, and so no years between them.
        return least <= abs((one.birth_year or 0) - (other.birth_year or _NEVER)) <= most

    gap = f"= {most}" if least == most else f"<= {most}"
    return holds, f"{'' if aged else 'NOT '}{_ONE_AGE} AND {_GAP} {gap}"


def _birth_unknown(one: Features, other: Features) -> bool:
    return (one.birth_year is None and one.band_from is None) or (other.birth_year is None and other.band_from is None)


def _bands_apart(most: int) -> tuple[Holds, str]:
    """At least one age is known as a band, and the years in which both can be born are at most so far apart."""

    def holds(one: Features, other: Features) -> bool:
        if one.band_from is None and other.band_from is None:
            return False
        first, second = one.band_from or one.birth_year or 0, other.band_from or other.birth_year or 0
        return first - (other.band_to or second) <= most and second - (one.band_to or first) <= most

    gap = f"{_FIRST_YEAR.format('l')} - {_LAST_YEAR.format('r')} <= {most}"
    back = f"{_FIRST_YEAR.format('r')} - {_LAST_YEAR.format('l')} <= {most}"
    return holds, f"(band_from_l IS NOT NULL OR band_from_r IS NOT NULL) AND {gap} AND {back}"


_NEVER = 9999
_FIRST_YEAR, _LAST_YEAR = "coalesce(band_from_{0}, birth_year_{0})", "coalesce(band_to_{0}, birth_year_{0})"
_BIRTH_UNKNOWN = f"{_FIRST_YEAR.format('l')} IS NULL OR {_FIRST_YEAR.format('r')} IS NULL"

# 1 January is how a year is written, never a day on which two persons agree; ages are heaped on 0 and 5.
BIRTH = Part(
    "birth",
    (
        Level("not known", _birth_unknown, _BIRTH_UNKNOWN, unseen=1.0),
        Level("the same day", *_same("birth_day")),
        Level("one slip in the day", _days_alike, _DAYS_ALIKE),
        Level(
            "days of one year, not the same",
            lambda one, other: _days_known(one, other) and _gap(one, other) <= 1,
            f"{_DAYS_KNOWN} AND {_GAP} <= 1",
        ),
        Level("days, not the same", _days_known, _DAYS_KNOWN),
        Level("an age, the year fits", *_years_apart(0, 1, aged=True)),
        Level("an age, some years off", *_years_apart(0, 3, aged=True)),
        Level("an age, up to six years off", *_years_apart(0, 6, aged=True)),
        Level("the same year", *_years_apart(0, 0, aged=False)),
        Level("the year before or after", *_years_apart(1, 1, aged=False)),
        Level("two or three years off", *_years_apart(0, 3, aged=False)),
        # Two strangers in five fit, one in ten is near. Who writes down a band is seldom further off.
        Level("an age band that fits", *_bands_apart(1), unseen=2.4),
        Level("an age band, some years off", *_bands_apart(4), unseen=0.5),
        OTHER,
    ),
)
SEX = Part("sex", (Level("the same", *_same("sex")), _missing("sex"), OTHER))
NATION = Part("nationality", (Level("the same", *_same("nation")), _missing("nation"), OTHER))
PLACE = Part(
    "birth place",
    (
        Level("the same sound", *_same("place_form")),
        Level("the same first word", *_same("place_key")),
        Level("a slip apart", *_near("place_form")),
        _missing("place_form"),
        OTHER,
    ),
)


def _types_fit(one: Features, other: Features) -> bool:
    return one.document_type is None or other.document_type is None or one.document_type == other.document_type


_TYPES_FIT = "(document_type_l IS NULL OR document_type_r IS NULL OR document_type_l = document_type_r)"
_LONG_NUMBER = 6


def _numbers_near(one: Features, other: Features) -> bool:
    left, right = one.document, other.document
    if left is None or right is None or min(len(left), len(right)) < _LONG_NUMBER or not _types_fit(one, other):
        return False
    return _edits(left, right) <= 1


DOCUMENT = Part(
    "document",
    (
        Level(
            "the same number",
            lambda one, other: one.document == other.document is not None and _types_fit(one, other),
            f"document_l = document_r AND {_TYPES_FIT}",
        ),
        Level(
            "one slip in the number",
            _numbers_near,
            f"{_TYPES_FIT} AND least(length(document_l), length(document_r)) >= {_LONG_NUMBER}"
            " AND levenshtein(document_l, document_r) <= 1",
        ),
        Level(
            "no two of one type",
            lambda one, other: (
                one.document is None
                or other.document is None
                or one.document_type != other.document_type
                or one.document_type is None
            ),
            "document_l IS NULL OR document_r IS NULL OR document_type_l IS NULL OR document_type_r IS NULL"
            " OR document_type_l <> document_type_r",
            unseen=1.0,
        ),
        OTHER,
    ),
)


def _like_twins(one: Features, other: Features) -> bool:
    if one.birth_day is None or one.birth_day != other.birth_day:
        return False
    at_home = (
        one.family_key == other.family_key is not None
        or one.mother_given == other.mother_given is not None
        or one.phone == other.phone is not None
    )
    return at_home and FIRST.levels[FIRST.find_level(one, other)] is OTHER


# Household and birth count as independent, and are not among twins: they agree in everything but the given name.
TWINS = Part(
    "twins",
    (
        Level(
            "one day of birth and one household, but another given name",
            _like_twins,
            "birth_day_l = birth_day_r"
            " AND (family_key_l = family_key_r OR mother_given_l = mother_given_r OR phone_l = phone_r)"
            f" AND NOT coalesce(({') OR ('.join(level.sql for level in FIRST.levels if level is not OTHER)}), FALSE)",
        ),
        OTHER,
    ),
)

COMPARISONS = (
    Comparison("household", (FAMILY, MOTHER, PHONE)),
    Comparison("given", (FIRST, SECOND)),
    Comparison("birth", (BIRTH,)),
    Comparison("sex", (SEX,)),
    Comparison("origin", (NATION, PLACE)),
    Comparison("document", (DOCUMENT,)),
    Comparison("twins", (TWINS,)),
)
