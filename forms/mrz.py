"""The machine-readable zone of a travel document (ICAO Doc 9303, parts 3 to 7): TD1, TD2, TD3 and visas.

Reads and checks; what a record makes of it, and what a wrong digit means for a submission, is said elsewhere.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from forms.errors import FormsError

# Part 3, 4.9: digits are themselves, A to Z are 10 to 35, the filler is 0; weights 7, 3, 1 from the left.
_VALUES = {sign: value for value, sign in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")} | {"<": 0}
_WEIGHTS = (7, 3, 1)
_CHARSET = re.compile(r"^[A-Z0-9<]+$")
# The length of the whole zone without line ends tells the format: 3 × 30, 2 × 36, 2 × 44.
_WIDTHS = {90: 30, 72: 36, 88: 44}
_SEXES = {"M": "1", "F": "2", "<": "0", "X": "0"}


class MrzRefused(FormsError):
    """What was read is no machine-readable zone. The text itself is personal data and stays out of the error."""


@dataclass(frozen=True, slots=True)
class MrzReading:
    """What one zone says. `failed` names the check digits that do not hold.

    A text is "" and the date None where the zone says nothing, or where no day comes of its digits. No digit
    covers names, issuer, nationality and sex, not even the composite.
    """

    document_type: str
    document_code: str
    issuer: str
    document_number: str
    family_name: str
    given_names: str
    nationality: str
    sex: str
    birth_date: date | None
    failed: tuple[str, ...]

    @property
    def valid(self) -> bool:
        return not self.failed


@dataclass(frozen=True, slots=True)
class _Zone:
    """The pieces of a zone where its format puts them. Dates and number come with their check digit."""

    code: str
    issuer: str
    names: str
    number: str
    optional: str
    nationality: str
    birth: str
    sex: str
    expiry: str
    composite: str
    # A passport's personal number has its own digit, which may be the filler when there is no number (part 4, 4.2.2).
    personal: str = ""


def check_digit(text: str) -> str:
    """The digit that ICAO 9303 puts behind `text`."""
    return str(sum(_VALUES[sign] * _WEIGHTS[place % 3] for place, sign in enumerate(text)) % 10)


def parse_mrz(text: str, day: date | None) -> MrzReading:
    """Read a zone as it was seen on `day`, without which a birth has no century; raise MrzRefused for anything else.

    Line ends, spaces and small letters are forgiven: people copy it by hand.
    """
    zone = _split(_normalise(text))
    number, number_holds = _read_number(zone)
    failed = tuple(name for name, holds in _judge(zone, number_holds) if not holds)
    family_name, given_names = _read_names(zone.names)
    return MrzReading(
        document_type=_document_type(zone.code),
        document_code=zone.code.rstrip("<"),
        issuer=_country(zone.issuer),
        document_number=number,
        family_name=family_name,
        given_names=given_names,
        nationality=_country(zone.nationality),
        sex=_SEXES.get(zone.sex, "0"),
        birth_date=_birth_date(zone.birth[:6], day),
        failed=failed,
    )


def _normalise(text: str) -> str:
    signs = "".join(text.split()).upper()
    if not _CHARSET.match(signs):
        raise MrzRefused("mrz_charset")
    if len(signs) not in _WIDTHS:
        raise MrzRefused("mrz_length", length=len(signs))
    if signs[0] not in "PVIAC":
        raise MrzRefused("mrz_document")
    return signs


def _split(signs: str) -> _Zone:
    width = _WIDTHS[len(signs)]
    lines = [signs[start : start + width] for start in range(0, len(signs), width)]
    return _td1(*lines) if width == 30 else _two_lines(*lines)


def _td1(first: str, second: str, names: str) -> _Zone:
    return _Zone(
        code=first[:2],
        issuer=first[2:5],
        names=names,
        number=first[5:15],
        optional=first[15:30],
        nationality=second[15:18],
        birth=second[:7],
        sex=second[7],
        expiry=second[8:15],
        composite=first[5:30] + second[:7] + second[8:15] + second[18:30],
    )


def _two_lines(first: str, second: str) -> _Zone:
    """TD2, TD3 and both visas share the first 28 places of their second line; visas have no composite (part 7)."""
    passport, visa = first[0] == "P" and len(first) == 44, first[0] == "V"
    return _Zone(
        code=first[:2],
        issuer=first[2:5],
        names=first[5:],
        number=second[:10],
        # Only cards carry a long number on into the optional data (part 6, note j).
        optional=second[28:35] if len(second) == 36 and not visa else "",
        nationality=second[10:13],
        birth=second[13:20],
        sex=second[20],
        expiry=second[21:28],
        composite="" if visa else second[:10] + second[13:20] + second[21:],
        personal=second[28:43] if passport else "",
    )


def _read_number(zone: _Zone) -> tuple[str, bool]:
    """A number of more than nine signs has a filler for its digit and goes on in the optional data (part 5, note j)."""
    head, digit = zone.number[:9], zone.number[9]
    tail = zone.optional.split("<", 1)[0]
    if digit == "<" and len(tail) > 1:
        number = head + tail[:-1]
        return number, check_digit(number) == tail[-1]
    return head.replace("<", ""), check_digit(head) == digit


def _judge(zone: _Zone, number_holds: bool) -> Iterator[tuple[str, bool]]:
    yield "document_number", number_holds
    yield "birth_date", _holds(zone.birth)
    yield "expiry_date", _holds(zone.expiry)
    if zone.personal:
        yield "personal_number", _holds(zone.personal) or not zone.personal.strip("<")
    if zone.composite:
        yield "composite", _holds(zone.composite)


def _holds(digits: str) -> bool:
    return check_digit(digits[:-1]) == digits[-1]


def _read_names(field: str) -> tuple[str, str]:
    family_name, _, given_names = field.partition("<<")
    return family_name.replace("<", " ").strip(), given_names.replace("<", " ").strip()


def _country(code: str) -> str:
    """Germany alone has one letter in a zone (part 3, section 5)."""
    plain = code.rstrip("<")
    return "DEU" if plain == "D" else plain


def _document_type(code: str) -> str:
    """Cards are I, A or C in a zone and one kind of document to us."""
    return code[0] if code[0] in "PV" else "I"


def _birth_date(digits: str, day: date | None) -> date | None:
    """Nobody is born after the day on which the document was seen; who is over a hundred reads as a child."""
    if day is None:
        return None
    born = _date(digits, 2000)
    return _date(digits, 1900) if born is None or born > day else born


def _date(digits: str, century: int) -> date | None:
    """Unknown parts of a date are fillers (part 3, 4.8): then there is no day."""
    if not digits.isdecimal():
        return None
    try:
        return date(century + int(digits[:2]), int(digits[2:4]), int(digits[4:]))
    except ValueError:
        return None
