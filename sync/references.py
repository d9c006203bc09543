"""Public references of person records: short, speakable over a radio, with check characters.

Computed from what the record is, so that any server and any order of arrival give the same one.
"""

import hashlib

# Crockford's base 32: no I, L, O and U, which are misheard and misread.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SYMBOLS = 10
_MODULUS = 97  # ISO 7064 MOD 97-10: every single slip and nearly every swap is caught
_MISREAD = str.maketrans("ILOU", "110V")


def make_reference(form_id: str, root_id: str, path: str) -> str:
    """Make the reference of one person record, such as 7K3QX-90MDA-41; `root_id` is its first instanceID."""
    digest = hashlib.sha256("\0".join((form_id, root_id, path)).encode()).digest()
    number = int.from_bytes(digest[:7]) >> 6
    symbols = "".join(ALPHABET[number >> shift & 31] for shift in range(5 * (_SYMBOLS - 1), -1, -5))
    return f"{symbols[:5]}-{symbols[5:]}-{_check(symbols)}"


def parse_reference(text: str) -> str | None:
    """Read a reference as a person writes it, in any case and spacing; None when its check characters do not fit."""
    plain = "".join(text.upper().split()).replace("-", "").translate(_MISREAD)
    symbols, check = plain[:_SYMBOLS], plain[_SYMBOLS:]
    if len(symbols) != _SYMBOLS or not set(symbols) <= set(ALPHABET) or check != _check(symbols):
        return None
    return f"{symbols[:5]}-{symbols[5:]}-{check}"


def _check(symbols: str) -> str:
    number = 0
    for symbol in symbols:
        number = number * len(ALPHABET) + ALPHABET.index(symbol)
    return f"{98 - number * 100 % _MODULUS:02}"
