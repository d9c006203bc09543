"""What a record is looked up by, and what somebody asks for who looks: any spelling, any order, part of a name. Pure.

A word is a sign for what it is of, and then the key of a name, the first two sounds of one, the end of a telephone
number or a document's number.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise
from string import ascii_lowercase

from sync.linkage.features import Cleaner, Features
from sync.linkage.names import consonants, fold, sound, without_titles
from sync.linkage.record import LinkRecord, parse_day
from sync.references import parse_reference

NAME, BEGINNING, MOTHER, PHONE, DOCUMENT = "n", "b", "m", "p", "d"
LONGEST = 40
_MOST_NAMES = 5
_OLDEST = 120
_VOWELS = "aeiou"
# What softens the consonant before it: Thiam begins with th, and Ndiaye with nd.
_SOFT = "ia"
# Ba, Sy, Ly are whole names here, and may be what somebody typed of Barry, Sylla, Lym.
_SHORTEST_PART = 2
_SERIES = 2
_SPREAD_NUMBER = re.compile(r"\+?\d[\d ./-]{5,}\d")
_YEARS = ("ans", "an", "years", "year", "yo")


@dataclass(frozen=True, slots=True)
class Clues:
    """What was asked for. `names` and `mothers` are words as they were written, `record` all but the names."""

    references: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    mothers: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    record: LinkRecord = field(default_factory=lambda: LinkRecord(""))

    @property
    def is_empty(self) -> bool:
        return not (self.references or self.names or self.mothers or self.numbers)


def list_words(cleaner: Cleaner, features: Features) -> set[str]:
    """The words that a record is found by."""
    family = {cleaner.find_key(word) for word in (features.family or "").split()}
    names = {*family, features.given_1, features.given_2, features.given_3}
    mothers = {features.mother_given, features.mother_family}
    told = [sign + word for sign, words in ((NAME, names), (MOTHER, mothers)) for word in words if word]
    told += [_begin(heard) for heard in list_sounds(features) if len(heard) >= _SHORTEST_PART]
    told += [sign + value for sign, value in ((PHONE, features.phone), (DOCUMENT, features.document)) if value]
    return {one[:LONGEST] for one in told}


def list_sounds(features: Features) -> list[str]:
    """Every name of a record as it sounds."""
    return [*map(sound, (features.family or "").split()), *(features.given_form or "").split()]


def read_clues(text: str, mother: str, sex: str, today: date) -> Clues:
    """Sort what somebody typed: references, numbers, a birth or an age, and names in whatever order they come."""
    whole = parse_reference(text)
    if whole:
        return Clues(references=(whole,))
    clues = Clues(record=LinkRecord("", sex=sex, mother_name=mother, recorded_on=today))
    names: list[str] = []
    tokens = _SPREAD_NUMBER.sub(_join_digits, text).replace(",", " ").split()
    for token in tokens:
        clues, is_name = _read_token(clues, token)
        names += [token] if is_name else []
    return replace(
        clues,
        numbers=(*clues.numbers, *_join_series(tokens)),
        names=without_titles(fold(" ".join(names)))[:_MOST_NAMES],
        mothers=without_titles(fold(mother))[:_MOST_NAMES],
    )


def _join_digits(found: re.Match[str]) -> str:
    """A telephone number as it is dialled; a day stays a day."""
    return found[0] if parse_day(found[0]) else "".join(sign for sign in found[0] if sign.isdecimal())


def _join_series(tokens: Sequence[str]) -> list[str]:
    """What may be a document's number, as it stands on many: letters of its series, and digits after a gap."""
    return [
        letters + digits
        for letters, digits in pairwise(tokens)
        if letters.isalpha() and len(letters) <= _SERIES and digits.isdecimal() and int(digits) > _OLDEST
    ]


def _read_token(clues: Clues, token: str) -> tuple[Clues, bool]:
    """The clues with what a token adds; or that it is a part of a name."""
    digits = sum(sign.isdecimal() for sign in token)
    if reference := parse_reference(token):
        return replace(clues, references=(*clues.references, reference)), False
    if token.lower() in _YEARS or not digits:
        return clues, not digits and token.lower() not in _YEARS
    if token.isdecimal() and int(token) <= _OLDEST:
        return replace(clues, record=replace(clues.record, age=int(token))), False
    born = parse_day(token)
    if born is not None:
        return replace(clues, record=replace(clues.record, birth_date=born)), False
    return replace(clues, numbers=(*clues.numbers, token)), False


def list_readings(clues: Clues, cleaner: Cleaner) -> list[Features]:
    """The ways to read what was asked as a record: nobody said whether the family's name came first or last."""
    names = clues.names
    splits = {(names[:-1], names[-1:]), (names[1:], names[:1]), *([(names, ())] if len(names) == 1 else [])}
    return [
        cleaner.clean(replace(one, given_name=" ".join(given), family_name=" ".join(family)))
        for one in _with_numbers(clues)
        for given, family in sorted(splits)
    ]


def _with_numbers(clues: Clues) -> Iterator[LinkRecord]:
    if not clues.numbers:
        yield clues.record
    for number in clues.numbers:
        yield replace(clues.record, phone=number, document_number=number)


def list_asked_words(clues: Clues, cleaner: Cleaner) -> list[str]:
    """The words that a record must have, each of them, to be what was asked for."""
    names = [NAME + cleaner.find_key(word) for word in clues.names]
    return list(dict.fromkeys([*names, *(MOTHER + cleaner.find_key(word) for word in clues.mothers)]))


def list_numbers(readings: Sequence[Features]) -> list[str]:
    """The words of telephones and documents among what was asked for; any one of them will do."""
    signs = ((PHONE, "phone"), (DOCUMENT, "document"))
    found = [sign + getattr(one, name) for one in readings for sign, name in signs if getattr(one, name)]
    return list(dict.fromkeys(word[:LONGEST] for word in found))


def is_short(word: str) -> bool:
    """Whether a name has no second consonant, so that its key is nearly the name and begins that of no other."""
    heard = consonants(sound(word))
    return len(heard) == 1 or heard[1] in _VOWELS


def list_beginnings(word: str) -> list[str]:
    """What the words of records begin with of whose name this may be a part; none of a single letter.

    The last letters may be half a sound: Di is how Diarra begins and Dieng, Fa how Fall and Faye.
    """
    if len(word) < _SHORTEST_PART:
        return []
    if is_short(word):
        heard = [sound(word + letters) for letters in ("", *ascii_lowercase, _SOFT)]
        return list(dict.fromkeys(_begin(one) for one in heard if len(one) >= _SHORTEST_PART))
    return list(dict.fromkeys(NAME + consonants(sound(word + letters)) for letters in ("", *_VOWELS, _SOFT)))


def begins_name(beginnings: Sequence[str], features: Features) -> bool:
    """Whether a record has a name with one of these beginnings of a short part."""
    return any(_begin(heard) in beginnings for heard in list_sounds(features))


def _begin(heard: str) -> str:
    """The word for a name's first two sounds; in Haw nobody hears yet whether a vowel follows, as in Hawa."""
    return BEGINNING + heard[:_SHORTEST_PART].replace("w", "u")


def list_variants(word: str) -> list[str]:
    """The word, and for a name too short for consonants (Awa, Aoua) those with another vowel."""
    key = word[1:]
    if len(key) == 2 and key[1] in _VOWELS:
        return [word[:2] + vowel for vowel in _VOWELS]
    return [word]


def find_years(reading: Features) -> tuple[int, int] | None:
    """Between which years of birth the records lie that fit what was asked."""
    if reading.birth_year is None or reading.birth_spread is None:
        return None
    return reading.birth_year - reading.birth_spread, reading.birth_year + reading.birth_spread
