"""What a machine-readable zone means for the record that carries it: the blanks it fills, and what is wrong with it.

A form claims it by `bind::teral:person = mrz`. How a zone is read stands in mrz.py.
"""

from collections.abc import Iterable, Mapping
from datetime import date

from forms.errors import Finding
from forms.mrz import MrzReading, MrzRefused, parse_mrz
from forms.submission import Answer

MRZ = "mrz"


def complete_by_mrz(row: Mapping[str, str], day: date | None) -> dict[str, str]:
    """One person's claimed texts without the zone, their blanks filled from it; `day` is the record's own.

    What was typed wins: no check digit covers names, sex and nationality. A number or a birth date whose digit
    does not hold is not taken over.
    """
    typed = {name: text for name, text in row.items() if name != MRZ}
    read = _find_reading(row.get(MRZ, ""), day)
    if read is None:
        return typed
    return _texts(read) | {name: text for name, text in typed.items() if text}


def validate_mrz(answers: Iterable[Answer]) -> list[Finding]:
    """A warning per zone that is none, or per check digit in it that does not hold."""
    return [
        Finding(answer.path, "constraint", "warning", code, params, rule="ICAO 9303", value=answer.text)
        for answer in answers
        if answer.field is not None and answer.field.person == MRZ and answer.text
        for code, params in _faults(answer.text)
    ]


def _find_reading(text: str, day: date | None) -> MrzReading | None:
    try:
        return parse_mrz(text, day)
    except MrzRefused:
        # validate_mrz says so; what was typed still counts.
        return None


def _texts(read: MrzReading) -> dict[str, str]:
    born = read.birth_date.isoformat() if read.birth_date else ""
    found = {
        "given_names": read.given_names,
        "family_name": read.family_name,
        "sex": read.sex,
        "nationality": read.nationality,
        "birth_date": "" if "birth_date" in read.failed else born,
        "document_type": read.document_type,
        "document_issuer": read.issuer,
        "document_number": "" if "document_number" in read.failed else read.document_number,
    }
    return {name: text for name, text in found.items() if text}


def _faults(text: str) -> list[tuple[str, dict[str, str]]]:
    try:
        failed = parse_mrz(text, None).failed
    except MrzRefused as refused:
        return [(refused.code, {name: str(value) for name, value in refused.params.items()})]
    # A wrong sign breaks its own digit and the composite with it: saying the first is enough.
    own = [f"mrz_check_{name}" for name in failed if name != "composite"]
    return [(code, {}) for code in own or ["mrz_check"][: len(failed)]]
