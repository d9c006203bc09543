"""What of a record is compared: one row of plain columns, the same for Python and for SQL. None: not known."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from math import log2
from typing import NamedTuple
from unicodedata import decimal, normalize

import orjson

from sync.linkage.names import NameKeys, fold, list_names, sound
from sync.linkage.record import OLDEST, LinkRecord

DAY, YEAR, AGE = "day", "year", "age"
_NO_DIGIT = re.compile(r"\D")
_NOT_SIGN = re.compile(r"[^A-Z0-9]")
_SHORTEST_PHONE = 6
# So many digits that are all alike are no number of anybody.
_FEWEST_ALIKE = 4
# A national number stands at the end, whatever is dialled before it; eight digits are common to the region's plans.
_PHONE_TAIL = 7
_SWAP_BITS = 4.0
_BAND = re.compile(r"(\d{1,3})(?:\D+(\d{1,3})\D*|\D*(?:\+|plus|over)\D*)")
# Whom a band without an end takes in.
_BAND_YEARS = 50


class Features(NamedTuple):
    """One record, cleaned. Names of columns are those of the SQL side."""

    record_id: str
    family: str | None
    family_form: str | None
    family_key: str | None
    given_form: str | None  # all given names, sorted
    given_1_form: str | None
    given_1: str | None
    given_2: str | None
    given_3: str | None
    sex: str | None
    birth_kind: str | None
    birth_year: int | None
    birth_spread: int | None
    birth_day: str | None
    birth_swapped: str | None
    nation: str | None
    place_form: str | None
    place_key: str | None
    mother_form: str | None
    mother_given: str | None
    mother_family: str | None
    mother_key: str | None
    phone: str | None
    document_type: str | None
    document: str | None
    tf_family_key: float
    tf_given_1: float
    tf_place_key: float
    tf_mother_key: float
    tf_phone: float
    # Between which years a person was born of whom no more than a band of ages is known.
    band_from: int | None = None
    band_to: int | None = None


def pack(features: Features) -> bytes:
    """All but the record's id, as short as it is quick to read: records that say the same give the same bytes.

    Most know more than a band; of one that is not told nothing is written.
    """
    return orjson.dumps(features[1:] if features.band_from is not None else features[1:-2])


_UNTOLD = (None,) * (len(Features._fields) - 1)


def unpack(packed: bytes, record_id: str = "") -> Features:
    """The features that were packed."""
    told = orjson.loads(packed)
    return Features._make((record_id, *told, *_UNTOLD[len(told) :]))


FREQUENCIES = tuple(name.removeprefix("tf_") for name in Features._fields if name.startswith("tf_"))


class Cleaner:
    """Makes features of records by the name order, aliases and frequencies of one model version."""

    def __init__(
        self,
        aliases: Mapping[str, str],
        name_order: Mapping[str, Sequence[int]],
        frequencies: Mapping[str, Mapping[str, float]],
        rarest: Mapping[str, float],
    ) -> None:
        self._keys = NameKeys(aliases)
        self._order = name_order
        self._frequencies = [(frequencies.get(name, {}), rarest.get(name, 1.0)) for name in FREQUENCIES]

    def clean(self, record: LinkRecord) -> Features:
        """The features of one record."""
        family, given = self._order_names(record)
        mother = self._order_mother(list_names(record.mother_name))
        place = fold(record.birth_place)
        given_keys = [self._keys.find_key(word) for word in given[:3]]
        mother_given = self._keys.find_key(mother[0]) if mother else None
        mother_family = self._keys.find_key(mother[-1]) if len(mother) > 1 else None
        family_key = "".join(self._keys.find_key(word) for word in family) or None
        given_1 = _at(given_keys, 0)
        place_key = "".join(sound(word) for word in place[:1]) or None
        phone = _clean_phone(record.phone)
        mother_key = f"{mother_given} {mother_family}" if mother_family else None
        return Features(
            record.record_id,
            " ".join(family) or None,
            "".join(map(sound, family)) or None,
            family_key,
            " ".join(sorted(map(sound, given))) or None,
            sound(given[0]) if given else None,
            given_1,
            _at(given_keys, 1),
            _at(given_keys, 2),
            record.sex or None,
            *_clean_birth(record),
            record.nationality.strip().upper() or None,
            "".join(map(sound, place)) or None,
            place_key,
            " ".join(map(sound, mother)) or None,
            mother_given,
            mother_family,
            mother_key,
            phone,
            record.document_type.strip().upper() or None,
            _clean_document(record.document_number),
            *self._find_frequencies(family_key, given_1, place_key, mother_key, phone),
            *_clean_band(record),
        )

    def find_key(self, word: str) -> str:
        """The key of one folded word of a name."""
        return self._keys.find_key(word)

    def _find_frequencies(self, *values: str | None) -> tuple[float, float, float, float, float]:
        pairs = zip(self._frequencies, values, strict=True)
        found = (table.get(value, rarest) if value else rarest for (table, rarest), value in pairs)
        family, given, place, mother, phone = found
        return family, given, place, mother, phone

    def _order_names(self, record: LinkRecord) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Family and given names, crossed back where the counts say that they were written crossed."""
        family, given = list_names(record.family_name), list_names(record.given_name)
        odds = sum(map(self._given_odds, family)) - sum(map(self._given_odds, given))
        return (given, family) if odds > _SWAP_BITS and family and given else (family, given)

    def _order_mother(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Given names first, where the counts say that her family name was."""
        crossed = len(words) > 1 and self._given_odds(words[-1]) - self._given_odds(words[0]) > _SWAP_BITS
        return (*words[1:], words[0]) if crossed else words

    def _given_odds(self, word: str) -> float:
        as_family, as_given = self._order.get(sound(word), (0, 0))
        return log2((as_given + 1) / (as_family + 1))


def _at(values: list[str], place: int) -> str | None:
    return values[place] if place < len(values) else None


def _clean_birth(record: LinkRecord) -> tuple[str | None, int | None, int | None, str | None, str | None]:
    """Kind, year, how many years it may be off, the day, and the day with day and month exchanged."""
    born = record.birth_date
    if born is not None and (born.month, born.day) != (1, 1):
        swapped = date(born.year, born.day, born.month).isoformat() if born.day <= 12 else None
        return DAY, born.year, 1, born.isoformat(), swapped
    if born is not None:
        return YEAR, born.year, 3, None, None
    # A date that was typed as an age is none.
    if record.age is not None and 0 <= record.age <= OLDEST and record.recorded_on is not None:
        return AGE, record.recorded_on.year - record.age, 4, None, None
    return None, None, None, None, None


def _clean_band(record: LinkRecord) -> tuple[int | None, int | None]:
    """The first and the last year of birth that fit; nothing where the birth or the age itself is known."""
    found = _BAND.fullmatch(record.age_band.strip())
    if found is None or record.recorded_on is None or record.birth_date is not None or record.age is not None:
        return None, None
    youngest = int(found[1])
    oldest = int(found[2] or youngest + _BAND_YEARS)
    year = record.recorded_on.year
    return (year - oldest - 1, year - youngest) if oldest >= youngest else (None, None)


def _clean_phone(text: str) -> str | None:
    digits = _NO_DIGIT.sub("", _write_plainly(text))
    tail = digits[-_PHONE_TAIL:]
    return tail if len(digits) >= _SHORTEST_PHONE and _is_number(tail) else None


def _clean_document(text: str) -> str | None:
    plain = _write_plainly(text)
    return _NOT_SIGN.sub("", plain.upper()) if _is_number(_NO_DIGIT.sub("", plain)) else None


def _write_plainly(text: str) -> str:
    """Digits of any script, and wide letters, as ASCII has them: two numbers in others would both come to nothing."""
    normal = normalize("NFKC", text)
    return "".join(str(decimal(sign, sign)) for sign in normal)


def _is_number(digits: str) -> bool:
    """Whether digits are of a number. Where a form demands one, NEANT, 0000 or 99999999 says that there is none."""
    return bool(digits.strip("0")) and (len(set(digits)) > 1 or len(digits) < _FEWEST_ALIKE)
