"""What one record says about a person, as linkage reads it: raw texts and their first reading, nothing compared yet."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sync.linkage.countries import find_country

COLUMNS = (
    "record_id", "family_name", "given_name", "sex", "birth_date", "age", "nationality", "birth_place", "mother_name",
    "phone", "document_type", "document_number", "post", "tablet", "recorded_on",
)  # fmt: skip

# Those whose values are read; the others are texts.
_READ = ("sex", "birth_date", "age", "nationality", "recorded_on")
_SEXES = {
    "1": "1", "m": "1", "h": "1", "male": "1", "homme": "1", "masculin": "1", "masculino": "1", "man": "1",
    "garcon": "1", "garçon": "1", "boy": "1", "2": "2", "f": "2", "w": "2", "female": "2", "femme": "2", "féminin": "2",
    "feminin": "2", "feminino": "2", "woman": "2", "fille": "2", "girl": "2",
}  # fmt: skip
# What people write where they know nothing: that is not known, and nobody need be told.
_UNKNOWN = frozenset(
    ("0", "9", "?", "-", "–", "/", "x", "u", "na", "n/a", "nan", "null", "none", "unknown", "inconnu", "inconnue")
)
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?")
_YEAR_FIRST = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})")
_DAY_FIRST = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})(?: .*)?")
_DIGITS = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\.0)?")
_YEAR_ALONE = re.compile(r"(\d{4})(?:\.0|[-/](?:00|\d{1,2})(?:[-/]00)?)?")
_AGE = re.compile(r"(\d{1,3})(?:[.,]\d+)?(?: ?(?:ans?|years?))?", re.IGNORECASE)
OLDEST, _YEARS = 120, range(1850, 2200)

# A place and a day.
Visit = tuple[int | str, date]


@dataclass(frozen=True, slots=True)
class LinkRecord:
    """One record. A birth of which only the year is known is 1 January of it, as officers write it."""

    record_id: str
    family_name: str = ""
    given_name: str = ""
    sex: str = ""  # ISO 5218: 1, 2, or nothing
    birth_date: date | None = None
    age: int | None = None
    nationality: str = ""
    birth_place: str = ""
    mother_name: str = ""
    phone: str = ""
    document_type: str = ""
    document_number: str = ""
    post: str = ""
    tablet: str = ""
    recorded_on: date | None = None
    age_band: str = ""  # as forms code it: 0_4, 60_plus
    site_id: int | None = None  # of the registry, where people are looked for by site

    @property
    def visit(self) -> Visit | None:
        """Where and on which day it was made, if it tells both."""
        place = self.site_id or self.post
        return (place, self.recorded_on) if place and self.recorded_on else None


def parse_record(row: Mapping[str, str]) -> LinkRecord:
    """Read one row of texts by the names in COLUMNS; what is absent or says nothing readable counts as not known."""
    texts = {name: (row.get(name) or "").strip() for name in COLUMNS}
    return LinkRecord(
        birth_date=parse_day(texts.pop("birth_date")),
        recorded_on=parse_day(texts.pop("recorded_on")),
        age=_parse_age(texts.pop("age")),
        sex=_parse_sex(texts.pop("sex")),
        nationality=_parse_country(texts.pop("nationality")),
        site_id=None,
        **texts,
    )


def list_unread(row: Mapping[str, str], record: LinkRecord) -> list[str]:
    """The columns of a row that say something of which its record holds nothing, or no country that is known."""
    said = {name: (row.get(name) or "").strip() for name in _READ}
    told = [name for name, text in said.items() if text and text.lower() not in _UNKNOWN]
    return [name for name in told if not _is_read(name, record)]


def _is_read(name: str, record: LinkRecord) -> bool:
    if name == "nationality":
        return find_country(record.nationality) is not None
    return getattr(record, name) not in ("", None)


def parse_day(text: str) -> date | None:
    """A day as people and spreadsheets write it, day before month; a year or month alone is its 1 January."""
    for pattern, order in _DAYS:
        if found := pattern.fullmatch(text):
            return _make_day(*(int(found[place]) for place in order))
    if found := _YEAR_ALONE.fullmatch(text):
        return _make_day(int(found[1]), 1, 1)
    return None


_DAYS = ((_ISO, (1, 2, 3)), (_YEAR_FIRST, (1, 2, 3)), (_DAY_FIRST, (3, 2, 1)), (_DIGITS, (1, 2, 3)))


def _make_day(year: int, month: int, day: int) -> date | None:
    if year not in _YEARS:
        return None
    if month > 12 >= day:  # month before day
        month, day = day, month
    try:
        return date(year, month, day)
    except ValueError:
        # 1985-00-00 and the like: the year is what somebody knew.
        return date(year, 1, 1)


def _parse_age(text: str) -> int | None:
    found = _AGE.fullmatch(text)
    return int(found[1]) if found and int(found[1]) <= OLDEST else None


def _parse_sex(text: str) -> str:
    return _SEXES.get(text.lower().removesuffix(".0").rstrip("."), "")


def _parse_country(text: str) -> str:
    return find_country(text) or text
