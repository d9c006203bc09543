"""Public references of person records: short, speakable over a radio, with check characters.

Computed from what the record is, so that any server and any order of arrival give the same one.
"""

import hashlib

# Crockford's base 32: no I, L, O and U, which are misheard and misread.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SYMBOLS = 10
_MODULUS = 97  # ISO 7064 MOD 97-10: every single slip and nearly every swap is caught
_MISREAD = str.maketrans("ILOU", "110V")


def make_reference(form_id: str, root_id: str, place: str) -> str:
    """Make the reference of one person record, such as 7K3QX-90MDA-41.

    `root_id` is its first instanceID, `place` the path under which the person first stood (places.py).
    """
    digest = hashlib.sha256("\0".join((form_id, root_id, place)).encode()).digest()
    number = int.from_bytes(digest[:7]) >> 6
    symbols = "".join(ALPHABET[number >> shift & 31] for shift in range(5 * (_SYMBOLS - 1), -1, -5))
    return f"{symbols[:5]}-{symbols[5:]}-{_check(symbols)}"


def parse_reference(text: str) -> str | None:
    """Read a reference as a person writes it, in any case and spacing; None when its check characters do not fit."""
    symbols, check = _take_apart(text)
    if len(symbols) != _SYMBOLS or not set(symbols) <= set(ALPHABET) or check != _check(symbols):
        return None
    return f"{symbols[:5]}-{symbols[5:]}-{check}"


def is_misread(text: str) -> bool:
    """Whether this was meant to be a reference and has a slip in it.

    Digits alone are a telephone number, and letters with two digits after them a name and an age.
    """
    symbols, check = _take_apart(text)
    digits = sum(sign.isdecimal() for sign in "".join(text.split()).replace("-", "")[:_SYMBOLS])
    looks_like_one = set(symbols) <= set(ALPHABET) and 0 < digits < _SYMBOLS and len(check) == 2 and check.isdecimal()
    return looks_like_one and parse_reference(text) is None


def _take_apart(text: str) -> tuple[str, str]:
    """The symbols and what checks them."""
    plain = "".join(text.upper().split()).replace("-", "").translate(_MISREAD)
    return plain[:_SYMBOLS], plain[_SYMBOLS:]


def _check(symbols: str) -> str:
    number = 0
    for symbol in symbols:
        number = number * len(ALPHABET) + ALPHABET.index(symbol)
    return f"{98 - number * 100 % _MODULUS:02}"
