from datetime import date
from typing import Any

import pytest

from sync.linkage.features import Cleaner, pack, unpack
from sync.linkage.names import PET_FORMS
from sync.linkage.record import LinkRecord
from tests.sync.linkage.people import clean

KNOWN = {"jalo": (90, 2), "mariama": (1, 80)}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("day", 1990, 1, "1990-05-17", None)),
        ({"birth_date": date(1990, 5, 7)}, ("day", 1990, 1, "1990-05-07", "1990-07-05")),
        ({"birth_date": date(1990, 1, 1)}, ("year", 1990, 3, None, None)),
        ({"birth_date": None, "age": 36}, ("age", 1990, 4, None, None)),
        ({"birth_date": None, "age": 36, "recorded_on": None}, (None,) * 5),
        ({"birth_date": None}, (None,) * 5),
    ],
    ids=["a day", "a day that may be exchanged", "1 January", "an age", "an age on no day", "nothing"],
)
def test_births(changes: dict[str, Any], expected: tuple[object, ...]) -> None:
    found = clean(**changes)
    assert (found.birth_kind, found.birth_year, found.birth_spread, found.birth_day, found.birth_swapped) == expected


@pytest.mark.parametrize(
    ("changes", "years"),
    [
        ({"age_band": "0_4"}, (2021, 2026)),
        ({"age_band": "25–59 ans"}, (1966, 2001)),
        ({"age_band": "60_plus"}, (1915, 1966)),
        ({"age_band": "60+"}, (1915, 1966)),
        ({"age_band": "0_4", "recorded_on": None}, (None, None)),
        ({"age_band": "adult"}, (None, None)),
        ({"age_band": "9_2"}, (None, None)),
        ({"age_band": "25_59", "age": 36}, (None, None)),
        ({"age_band": "25_59", "birth_date": date(1990, 1, 1)}, (None, None)),
    ],
    ids=["a child", "in words", "no end", "a plus", "on no day", "no numbers", "the wrong way round", "beside an age",
         "beside a year"],
)  # fmt: skip
def test_a_band_is_the_years_that_fit_where_no_more_is_known(
    changes: dict[str, Any], years: tuple[int | None, int | None]
) -> None:
    found = clean(**{"birth_date": None, **changes})
    assert (found.band_from, found.band_to) == years
    assert unpack(pack(found), "a") == found


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+221 77 123 45 67", "1234567"),
        ("77-123-45-67", "1234567"),
        ("12", None),
        ("", None),
        ("770000000", None),
        ("٧٧١٢٣٤٥٦٧", "1234567"),
    ],
)
def test_phones_are_their_last_digits(text: str, number: str | None) -> None:
    assert clean(phone=text).phone == number


@pytest.mark.parametrize(
    ("text", "number"),
    [("a 12-34/b", "A1234B"), ("A7", "A7"), ("777", "777"), ("1000", "1000"), ("NEANT", None), ("n/a", None),
     ("0", None), ("000-000", None), ("A9999", None), ("", None), ("P ٧٦٥٤٣٢١", "P7654321"), ("Ｐ１２３４", "P1234"),
     ("٠٠٠٠", None)],
)  # fmt: skip
def test_a_document_has_a_number_that_says_something(text: str, number: str | None) -> None:
    assert clean(document_number=text).document == number


@pytest.mark.parametrize("text", ["Inconnue", "INCONNU inconnu", "Néant", "xxx", "SNP", "FNU"])
def test_who_is_unknown_has_no_name(text: str) -> None:
    found = clean(family_name=text, mother_name=text)
    assert (found.family, found.family_key, found.mother_form, found.mother_given) == (None,) * 4
    assert clean(mother_name=f"{text} Sow").mother_family == "so"


@pytest.mark.parametrize("age", [-1, 121, 1990, 19900517])
def test_no_age_is_a_date_that_was_typed_as_one(age: int) -> None:
    found = clean(birth_date=None, age=age)
    assert (found.birth_kind, found.birth_year) == (None, None)


def test_mother_has_a_key_of_both_names() -> None:
    found = clean(mother_name="Ndeye Aissatou Barry")
    assert (found.mother_given, found.mother_family, found.mother_key) == ("ast", "br", "ast br")


def test_a_mother_with_one_name_has_no_key_of_both() -> None:
    found = clean(mother_name="Aissatou")
    assert (found.mother_given, found.mother_family, found.mother_key) == ("ast", None, None)


@pytest.mark.parametrize(
    ("text", "given", "family"),
    [("Diallo Mariama", "mrm", "jl"), ("Diallo Awa Mariama", "aa", "jl"), ("Mariama Diallo", "mrm", "jl"),
     ("Nobody Nowhere", "nbd", "nr"), ("Diallo", "jl", None)],
    ids=["crossed", "crossed, of two given names", "straight", "unknown", "one name alone"],
)  # fmt: skip
def test_a_mothers_names_are_set_right_by_counts(text: str, given: str, family: str | None) -> None:
    found = Cleaner(PET_FORMS, KNOWN, {}, {}).clean(LinkRecord("a", mother_name=text))
    assert (found.mother_given, found.mother_family) == (given, family)


@pytest.mark.parametrize(
    ("family", "given", "crossed"),
    [("Mariama", "Diallo", True), ("Diallo", "Mariama", False), ("Nobody", "Nowhere", False), ("Mariama", "", False)],
    ids=["crossed", "straight", "unknown", "one name alone"],
)
def test_crossed_names_are_set_right_by_counts(family: str, given: str, crossed: bool) -> None:
    found = Cleaner(PET_FORMS, KNOWN, {}, {}).clean(LinkRecord("a", family_name=family, given_name=given))
    assert (found.family == given.lower()) is crossed


def test_frequencies_come_from_the_tables() -> None:
    cleaner = Cleaner({}, {}, {"family_key": {"jl": 0.05}}, {"family_key": 0.001})
    names = [cleaner.clean(LinkRecord("a", family_name=name)).tf_family_key for name in ("Diallo", "Kone", "")]
    assert names == [0.05, 0.001, 0.001]


def test_what_says_nothing_is_none() -> None:
    found = Cleaner({}, {}, {}, {}).clean(LinkRecord("a"))
    assert {value for name, value in found._asdict().items() if name != "record_id"} == {None, 1.0}
