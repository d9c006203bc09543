"""The machine-readable zone: ICAO's own specimens of Utopia, and what a slip of the finger does to them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.mrz import MrzReading, MrzRefused, check_digit, parse_mrz

DAY = date(2026, 11, 23)
PASSPORT = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<" + "L898902C36UTO7408122F1204159ZE184226B<<<<<10"
CARD = "I<UTOD231458907<<<<<<<<<<<<<<<" + "7408122F1204159UTO<<<<<<<<<<<6" + "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"
WIDE_CARD = "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<" + "D231458907UTO7408122F1204159<<<<<<<6"
LONG_CARD = "I<UTOD23145890<7349<<<<<<<<<<<" + "3407127M9507122UTO<<<<<<<<<<<2" + "STEVENSON<<PETER<JOHN<<<<<<<<<"
LONG_WIDE_CARD = "I<UTOSTEVENSON<<PETER<JOHN<<<<<<<<<<" + "D23145890<UTO3407127M95071227349<<<8"
VISA = "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<" + "L8988901C4XXX4009078F96121096ZE184226B<<<<<<"
SMALL_VISA = "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<" + "L8988901C4XXX4009078F9612109<<<<<<<<"

SPECIMENS = pytest.mark.parametrize(
    ("zone", "kind", "number", "born"),
    [
        pytest.param(PASSPORT, "P", "L898902C3", date(1974, 8, 12), id="passport (TD3)"),
        pytest.param(CARD, "I", "D23145890", date(1974, 8, 12), id="card (TD1)"),
        pytest.param(WIDE_CARD, "I", "D23145890", date(1974, 8, 12), id="wide card (TD2)"),
        pytest.param(LONG_CARD, "I", "D23145890734", date(1934, 7, 12), id="card with a long number"),
        pytest.param(LONG_WIDE_CARD, "I", "D23145890734", date(1934, 7, 12), id="wide card with a long number"),
        pytest.param(VISA, "V", "L8988901C", date(1940, 9, 7), id="visa (MRV-A)"),
        pytest.param(SMALL_VISA, "V", "L8988901C", date(1940, 9, 7), id="small visa (MRV-B)"),
    ],
)


@SPECIMENS
def test_icao_specimens_hold(zone: str, kind: str, number: str, born: date) -> None:
    read = parse_mrz(zone, DAY)
    assert (read.valid, read.document_type, read.document_number, read.birth_date) == (True, kind, number, born)


def test_a_passport_says_who_and_from_where() -> None:
    assert parse_mrz(PASSPORT, DAY) == MrzReading(
        document_type="P",
        document_code="P",
        issuer="UTO",
        document_number="L898902C3",
        family_name="ERIKSSON",
        given_names="ANNA MARIA",
        nationality="UTO",
        sex="2",
        birth_date=date(1974, 8, 12),
        failed=(),
    )


def test_copying_by_hand_is_forgiven_its_spaces_and_small_letters() -> None:
    written = PASSPORT[:44].lower() + " \n" + PASSPORT[44:60] + " " + PASSPORT[60:]
    assert parse_mrz(written, DAY) == parse_mrz(PASSPORT, DAY)


@pytest.mark.parametrize(
    ("zone", "failed"),
    [
        pytest.param(PASSPORT.replace("L898902", "L898903"), ("document_number", "composite"), id="the number"),
        pytest.param(PASSPORT.replace("7408122", "7408132"), ("birth_date", "composite"), id="the birth date"),
        pytest.param(PASSPORT.replace("1204159", "1204169"), ("expiry_date", "composite"), id="the expiry date"),
        pytest.param(PASSPORT.replace("ZE184", "ZE185"), ("personal_number", "composite"), id="the personal number"),
        pytest.param(PASSPORT[:-1] + "1", ("composite",), id="the composite digit"),
        pytest.param(
            LONG_CARD.replace("7349", "7359"), ("document_number", "composite"), id="the end of a long number"
        ),
        pytest.param(VISA.replace("4009078", "4009088"), ("birth_date",), id="a visa, which has no composite"),
    ],
)
def test_failing_digits_are_named(zone: str, failed: tuple[str, ...]) -> None:
    assert parse_mrz(zone, DAY).failed == failed


@pytest.mark.parametrize(
    ("zone", "code"),
    [
        pytest.param("", "mrz_charset", id="nothing"),
        pytest.param(PASSPORT.replace("<", "«"), "mrz_charset", id="another filler"),
        pytest.param(PASSPORT[:-1], "mrz_length", id="a sign short"),
        pytest.param("X" + PASSPORT[1:], "mrz_document", id="no travel document"),
    ],
)
def test_what_is_no_zone_is_refused(zone: str, code: str) -> None:
    with pytest.raises(MrzRefused) as refused:
        parse_mrz(zone, DAY)
    assert refused.value.code == code


def test_a_refusal_quotes_nothing_of_a_person() -> None:
    with pytest.raises(MrzRefused) as refused:
        parse_mrz("P<UTOERIKSSON", DAY)
    assert "ERIKSSON" not in str(refused.value)


@pytest.mark.parametrize(
    ("digits", "born"),
    [
        pytest.param("261123", date(2026, 11, 23), id="born on the day itself"),
        pytest.param("261124", date(1926, 11, 24), id="the day after is a century ago"),
        pytest.param("000229", date(2000, 2, 29), id="a leap day of 2000"),
        pytest.param("010229", None, id="no such day"),
        pytest.param("740000", None, id="a year alone, in zeros"),
        pytest.param("74<<<<", None, id="a year alone, in fillers"),
    ],
)
def test_the_century_follows_the_day_of_the_record(digits: str, born: date | None) -> None:
    line = PASSPORT[44:57] + digits + check_digit(digits) + PASSPORT[64:87]
    read = parse_mrz(PASSPORT[:44] + line + check_digit(line[:10] + line[13:20] + line[21:]), DAY)
    assert (read.birth_date, read.failed) == (born, ())


@pytest.mark.parametrize(
    ("old", "new", "field", "value"),
    [
        pytest.param("UTO7408", "D<<7408", "nationality", "DEU", id="Germany has one letter"),
        pytest.param("P<UTO", "P<D<<", "issuer", "DEU", id="Germany issues with one letter"),
        pytest.param("UTO7408", "XXA7408", "nationality", "XXA", id="stateless"),
        pytest.param("2F12", "2M12", "sex", "1", id="male"),
        pytest.param("2F12", "2<12", "sex", "0", id="sex not given"),
        pytest.param("ERIKSSON<<ANNA<MARIA", "ERIKSSON<<<<<<<<<<<<", "given_names", "", id="one name only"),
        pytest.param("ERIKSSON<<ANNA", "VAN<DEN<BERG<<", "family_name", "VAN DEN BERG", id="a name of several parts"),
        pytest.param("P<UTO", "PDUTO", "document_code", "PD", id="a diplomatic passport"),
    ],
)
def test_fields_without_a_check_digit_are_read(old: str, new: str, field: str, value: str) -> None:
    read = parse_mrz(PASSPORT.replace(old, new), DAY)
    assert (getattr(read, field), read.valid) == (value, True)


def test_an_empty_personal_number_needs_no_digit() -> None:
    line = PASSPORT[44:72] + "<" * 15
    read = parse_mrz(PASSPORT[:44] + line + check_digit(line[:10] + line[13:20] + line[21:]), DAY)
    assert read.valid


SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<"


def _weight(sign: str) -> int:
    return 0 if sign == "<" else int(sign, 36)


@given(st.text(SIGNS, min_size=1, max_size=40), st.data())
def test_any_wrong_sign_of_another_weight_class_is_seen(text: str, data: st.DataObject) -> None:
    """7, 3 and 1 have no factor with 10: two signs give the same digit only when their values differ by tens."""
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from(SIGNS))
    changed = text[:place] + other + text[place + 1 :]
    same_class = (_weight(other) - _weight(text[place])) % 10 == 0
    assert (check_digit(changed) == check_digit(text)) == same_class


@given(place=st.sampled_from([*range(44, 54), *range(57, 64), *range(65, 88)]), digit=st.sampled_from("0123456789"))
def test_any_wrong_digit_in_a_passports_second_line_is_seen(place: int, digit: str) -> None:
    was = PASSPORT[place]
    if (_weight(digit) - _weight(was)) % 10:
        assert not parse_mrz(PASSPORT[:place] + digit + PASSPORT[place + 1 :], DAY).valid


@given(st.text(SIGNS, min_size=89, max_size=89))
def test_any_signs_of_the_right_length_are_read_or_refused(text: str) -> None:
    assert isinstance(parse_mrz("I" + text, DAY), MrzReading)
