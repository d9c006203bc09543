"""How alike two records are: comparisons of one or several parts, each part a ladder of levels from alike to unlike.

Every ladder is said twice: here to SQL (DuckDB and Spark know every function used), and to Python in ladders.py. Fields
that agree together inside a household are one comparison, whose cells are all combinations of its parts' levels: summed
as if they were independent they would make one person of a whole family.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import product

from sync.linkage import ladders
from sync.linkage.features import Features
from sync.linkage.ladders import LONG_NUMBER, Find


@dataclass(frozen=True, slots=True)
class Level:
    """One step of a ladder. The first level that holds is the pair's; the last one of a part always does.

    `unseen` is what it tells where too few pairs show it to learn from: how many times as likely it is between two
    records of one person as between two others. Where nothing can be compared that is 1.
    """

    label: str
    sql: str
    unseen: float | None = None


OTHER = Level("different", "TRUE")


@dataclass(frozen=True, slots=True)
class Part:
    """A ladder of levels, for one field or a few that say one thing; `find_level` gives the first that holds."""

    name: str
    find_level: Find
    levels: tuple[Level, ...]


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

    @cached_property
    def find_cell(self) -> Find:
        """Gives the combination that holds, by its place in `cells`."""
        if len(self.parts) == 1:
            return self.parts[0].find_level
        ladders = [(len(part.levels), part.find_level) for part in self.parts]

        def find(one: Features, other: Features) -> int:
            cell = 0
            for size, find_level in ladders:
                cell = cell * size + find_level(one, other)
            return cell

        return find

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


def _same(column: str) -> str:
    """Known on both sides and equal."""
    return f"{column}_l = {column}_r"


def _missing(column: str) -> Level:
    return Level("not known", f"{column}_l IS NULL OR {column}_r IS NULL", unseen=1.0)


def _near(column: str) -> str:
    """At most one edit in a word of four letters, two from eight on."""
    left, right = f"{column}_l", f"{column}_r"
    shortest = f"least(length({left}), length({right}))"
    return f"{shortest} >= 4 AND levenshtein({left}, {right}) <= CASE WHEN {shortest} >= 8 THEN 2 ELSE 1 END"


_GIVEN = ("given_1", "given_2", "given_3")
_SHARE_GIVEN = " OR ".join(f"{left}_l = {right}_r" for left in _GIVEN for right in _GIVEN)

FAMILY = Part(
    "family name",
    ladders.find_family,
    (
        Level("the same spelling", _same("family")),
        Level("the same sound", _same("family_form")),
        Level("the same consonants", _same("family_key")),
        Level("a slip apart", _near("family_form")),
        _missing("family"),
        OTHER,
    ),
)
MOTHER = Part(
    "mother",
    ladders.find_mother,
    (
        Level("both names the same", _same("mother_key")),
        Level("near in sound", _near("mother_form")),
        Level(
            "one name alone, the same",
            f"{_same('mother_given')} AND (mother_family_l IS NULL OR mother_family_r IS NULL)",
        ),
        Level("given name the same", _same("mother_given")),
        Level("family name the same", _same("mother_family")),
        _missing("mother_given"),
        OTHER,
    ),
)
PHONE = Part("phone", ladders.find_phone, (Level("the same", _same("phone")), _missing("phone"), OTHER))

FIRST = Part(
    "first given name",
    ladders.find_first,
    (
        Level("the same sound", _same("given_1_form")),
        Level("the same consonants", _same("given_1")),
        Level("among the given names", _SHARE_GIVEN),
        Level("a slip apart", _near("given_1_form")),
        Level("crossed with the family name", "given_1_l = family_key_r AND family_key_l = given_1_r"),
        _missing("given_1"),
        OTHER,
    ),
)
SECOND = Part(
    "second given name", ladders.find_second, (Level("the same", _same("given_2")), _missing("given_2"), OTHER)
)

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
_FIRST_YEAR, _LAST_YEAR = "coalesce(band_from_{0}, birth_year_{0})", "coalesce(band_to_{0}, birth_year_{0})"
_BIRTH_UNKNOWN = f"{_FIRST_YEAR.format('l')} IS NULL OR {_FIRST_YEAR.format('r')} IS NULL"


def _years_apart(most: int, *, aged: bool) -> str:
    """Known years at most so far apart; one of them from an age, or neither."""
    return f"{'' if aged else 'NOT '}{_ONE_AGE} AND {_GAP} <= {most}"


def _bands_apart(most: int) -> str:
    """At least one age is known as a band, and the years in which both can be born are at most so far apart."""
    gap = f"{_FIRST_YEAR.format('l')} - {_LAST_YEAR.format('r')} <= {most}"
    back = f"{_FIRST_YEAR.format('r')} - {_LAST_YEAR.format('l')} <= {most}"
    return f"(band_from_l IS NOT NULL OR band_from_r IS NOT NULL) AND {gap} AND {back}"


# 1 January is how a year is written, never a day on which two persons agree; ages are heaped on 0 and 5.
BIRTH = Part(
    "birth",
    ladders.find_birth,
    (
        Level("not known", _BIRTH_UNKNOWN, unseen=1.0),
        Level("the same day", _same("birth_day")),
        Level("one slip in the day", _DAYS_ALIKE),
        Level("days of one year, not the same", f"{_DAYS_KNOWN} AND {_GAP} <= 1"),
        Level("days, not the same", _DAYS_KNOWN),
        Level("an age, the year fits", _years_apart(1, aged=True)),
        Level("an age, some years off", _years_apart(3, aged=True)),
        Level("an age, up to six years off", _years_apart(6, aged=True)),
        Level("the same year", _years_apart(0, aged=False)),
        Level("the year before or after", _years_apart(1, aged=False)),
        Level("two or three years off", _years_apart(3, aged=False)),
        # Two strangers in five fit, one in ten is near. Who writes down a band is seldom further off.
        Level("an age band that fits", _bands_apart(1), unseen=2.4),
        Level("an age band, some years off", _bands_apart(4), unseen=0.5),
        OTHER,
    ),
)
SEX = Part("sex", ladders.find_sex, (Level("the same", _same("sex")), _missing("sex"), OTHER))
NATION = Part("nationality", ladders.find_nation, (Level("the same", _same("nation")), _missing("nation"), OTHER))
PLACE = Part(
    "birth place",
    ladders.find_place,
    (
        Level("the same sound", _same("place_form")),
        Level("the same first word", _same("place_key")),
        Level("a slip apart", _near("place_form")),
        _missing("place_form"),
        OTHER,
    ),
)

_TYPES_FIT = "(document_type_l IS NULL OR document_type_r IS NULL OR document_type_l = document_type_r)"

DOCUMENT = Part(
    "document",
    ladders.find_document,
    (
        Level("the same number", f"{_same('document')} AND {_TYPES_FIT}"),
        Level(
            "one slip in the number",
            f"{_TYPES_FIT} AND least(length(document_l), length(document_r)) >= {LONG_NUMBER}"
            " AND levenshtein(document_l, document_r) <= 1",
        ),
        Level(
            "no two of one type",
            "document_l IS NULL OR document_r IS NULL OR document_type_l IS NULL OR document_type_r IS NULL"
            " OR document_type_l <> document_type_r",
            unseen=1.0,
        ),
        OTHER,
    ),
)

# Household and birth count as independent, and are not among twins: they agree in everything but the given name.
TWINS = Part(
    "twins",
    ladders.find_twins,
    (
        Level(
            "one day of birth and one household, but another given name",
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
