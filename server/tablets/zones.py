"""Machine-readable zones of invented documents (ICAO 9303), with the check digits that a real one has."""

import re
import unicodedata
from datetime import date, timedelta
from random import Random

from forms.mrz import check_digit


def write_passport(person: dict[str, str], rng: Random, on: date) -> list[str]:
    """The two lines of a passport (TD3) that says what `person` says."""
    names = f"{_letters(person['family_name'])}<<{_letters(person['given_names'])}"
    first = f"P<{person['nationality']}{names}"[:44].ljust(44, "<")
    number = person["document_number"][:9].ljust(9, "<")
    birth = person["birth_date"].replace("-", "")[2:]
    expiry = (on + timedelta(days=rng.randrange(30, 3000))).strftime("%y%m%d")
    personal = "<" * 14
    head = _checked(number)
    middle = _checked(birth), _checked(expiry), _checked(personal)
    sex = {"1": "M", "2": "F"}.get(person["sex"], "<")
    composite = check_digit(head + middle[0] + middle[1] + middle[2])
    return [first, f"{head}{person['nationality']}{middle[0]}{sex}{middle[1]}{middle[2]}{composite}"]


def _checked(text: str) -> str:
    return text + check_digit(text)


def _letters(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().upper()
    return re.sub(r"[^A-Z]+", "<", plain).strip("<")
