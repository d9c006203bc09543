"""What a zone brings to a person's record, and what a supervisor is told about it."""

from datetime import date

import pytest

from forms.errors import MESSAGES
from forms.submission import list_answers
from forms.travel_documents import complete_by_mrz, validate_mrz
from tests.forms.samples import definition, submission
from tests.forms.test_mrz import CARD, DAY, PASSPORT, VISA

FORM = definition("<mrz/><nom/>", '<bind nodeset="/data/mrz" teral:person="mrz"/>')


def test_a_zone_fills_what_nobody_typed() -> None:
    assert complete_by_mrz({"mrz": PASSPORT, "family_name": ""}, DAY) == {
        "given_names": "ANNA MARIA",
        "family_name": "ERIKSSON",
        "sex": "2",
        "nationality": "UTO",
        "birth_date": "1974-08-12",
        "document_type": "P",
        "document_issuer": "UTO",
        "document_number": "L898902C3",
    }


def test_what_was_typed_wins() -> None:
    row = complete_by_mrz({"mrz": PASSPORT, "nationality": "SEN", "document_type": "CE"}, DAY)
    assert (row["nationality"], row["document_type"], row["family_name"]) == ("SEN", "CE", "ERIKSSON")


@pytest.mark.parametrize(
    ("zone", "day", "kept_out"),
    [
        pytest.param(PASSPORT.replace("L898902", "L898903"), DAY, "document_number", id="a wrong number"),
        pytest.param(PASSPORT.replace("7408122", "7408132"), DAY, "birth_date", id="a wrong birth date"),
        pytest.param(PASSPORT, None, "birth_date", id="a birth without a century"),
    ],
)
def test_what_does_not_hold_is_not_taken_over(zone: str, day: date | None, kept_out: str) -> None:
    row = complete_by_mrz({"mrz": zone}, day)
    assert kept_out not in row
    assert row["family_name"] == "ERIKSSON"


@pytest.mark.parametrize("zone", ["", "HELLO", "é" * 88], ids=["none", "too short", "another script"])
def test_without_a_readable_zone_the_typed_stays_alone(zone: str) -> None:
    assert complete_by_mrz({"mrz": zone, "family_name": "Ndiaye"}, DAY) == {"family_name": "Ndiaye"}


@pytest.mark.parametrize(
    ("zone", "codes"),
    [
        pytest.param("", [], id="no zone"),
        pytest.param(CARD, [], id="a good zone"),
        pytest.param(PASSPORT[:-1] + "1", ["mrz_check"], id="the last digit alone"),
        pytest.param(PASSPORT.replace("L898902", "L898903"), ["mrz_check_document_number"], id="the number"),
        pytest.param(PASSPORT.replace("7408122", "7408132"), ["mrz_check_birth_date"], id="the birth date"),
        pytest.param(PASSPORT.replace("1204159", "1204169"), ["mrz_check_expiry_date"], id="the expiry date"),
        pytest.param(PASSPORT.replace("ZE184", "ZE185"), ["mrz_check_personal_number"], id="the personal number"),
        pytest.param(VISA.replace("4009078", "4009088"), ["mrz_check_birth_date"], id="a visa"),
        pytest.param("HELLO", ["mrz_length"], id="no zone at all"),
    ],
)
def test_a_wrong_digit_is_a_warning(zone: str, codes: list[str]) -> None:
    sent = submission(f"<mrz>{zone.replace('<', '&lt;')}</mrz><nom>Ndiaye</nom>")
    findings = validate_mrz(list_answers(sent, FORM))
    assert [(one.path, one.kind, one.grade, one.code) for one in findings] == [
        ("/data/mrz", "constraint", "warning", code) for code in codes
    ]
    assert all(MESSAGES[one.code] % one.params for one in findings)
