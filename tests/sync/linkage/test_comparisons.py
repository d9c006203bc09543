from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.linkage.comparisons import (
    BIRTH,
    COMPARISONS,
    DOCUMENT,
    FAMILY,
    FIRST,
    MOTHER,
    PHONE,
    PLACE,
    SECOND,
    SEX,
    TWINS,
    Part,
)
from tests.sync.linkage.people import MODEL, clean, invent_records

OF_FILE = [MODEL.cleaner.clean(one) for one in invent_records(200, seed=3)]


def day(text: str) -> dict[str, Any]:
    return {"birth_date": date.fromisoformat(text)}


def age(years: int) -> dict[str, Any]:
    return {"birth_date": None, "age": years}


def band(code: str) -> dict[str, Any]:
    return {"birth_date": None, "age_band": code}


CASES = [
    (FAMILY, {}, {}, "the same spelling"),
    (FAMILY, {}, {"family_name": "Djallo"}, "the same sound"),
    (FAMILY, {"family_name": "Konaté"}, {"family_name": "Kanouté"}, "the same consonants"),
    (FAMILY, {"family_name": "Coulibaly"}, {"family_name": "Coulibadly"}, "a slip apart"),
    (FAMILY, {}, {"family_name": ""}, "not known"),
    (FAMILY, {}, {"family_name": "Sow"}, "different"),
    (MOTHER, {}, {"mother_name": "Aïssatou Bari"}, "both names the same"),
    (MOTHER, {}, {"mother_name": "Aissatou Barrsy"}, "near in sound"),
    (MOTHER, {}, {"mother_name": "Astou"}, "one name alone, the same"),
    (MOTHER, {}, {"mother_name": "Aissatou Kane"}, "given name the same"),
    (MOTHER, {}, {"mother_name": "Oumou Barry"}, "family name the same"),
    (MOTHER, {}, {"mother_name": ""}, "not known"),
    (MOTHER, {}, {"mother_name": "Coumba"}, "different"),
    (PHONE, {}, {"phone": "620112233"}, "the same"),
    (PHONE, {}, {"phone": ""}, "not known"),
    (PHONE, {}, {"phone": "620112234"}, "different"),
    (FIRST, {}, {"given_name": "Fatumata"}, "the same sound"),
    (FIRST, {}, {"given_name": "Fatou"}, "the same consonants"),
    (FIRST, {}, {"given_name": "Awa Fatou"}, "among the given names"),
    (FIRST, {"given_name": "Souleymane"}, {"given_name": "Souleymale"}, "a slip apart"),
    (FIRST, {"family_name": "Kabore", "given_name": "Zoro"}, {"family_name": "Zoro", "given_name": "Kabore"},
     "crossed with the family name"),
    (FIRST, {}, {"given_name": ""}, "not known"),
    (FIRST, {}, {"given_name": "Bineta"}, "different"),
    (SECOND, {"given_name": "Awa Fatou"}, {"given_name": "Coumba Fatou"}, "the same"),
    (SECOND, {}, {"given_name": "Awa Fatou"}, "not known"),
    (SECOND, {"given_name": "Awa Fatou"}, {"given_name": "Awa Bineta"}, "different"),
    (BIRTH, {}, {}, "the same day"),
    (BIRTH, {}, day("1990-05-19"), "one slip in the day"),
    (BIRTH, {}, day("1990-11-17"), "one slip in the day"),
    (BIRTH, {}, day("1989-05-17"), "one slip in the day"),
    (BIRTH, day("1990-05-07"), day("1990-07-05"), "one slip in the day"),
    (BIRTH, {}, day("1991-08-02"), "days of one year, not the same"),
    (BIRTH, {}, day("1970-08-02"), "days, not the same"),
    (BIRTH, {}, age(35), "an age, the year fits"),
    (BIRTH, {}, age(33), "an age, some years off"),
    (BIRTH, {}, age(30), "an age, up to six years off"),
    (BIRTH, {}, age(20), "different"),
    (BIRTH, {}, day("1990-01-01"), "the same year"),
    (BIRTH, day("1990-01-01"), day("1990-01-01"), "the same year"),
    (BIRTH, {}, day("1991-01-01"), "the year before or after"),
    (BIRTH, {}, day("1993-01-01"), "two or three years off"),
    (BIRTH, {}, day("1970-01-01"), "different"),
    (BIRTH, {}, {"birth_date": None}, "not known"),
    (BIRTH, {}, band("25_59"), "an age band that fits"),
    (BIRTH, age(36), band("25_59"), "an age band that fits"),
    (BIRTH, age(24), band("25_59"), "an age band that fits"),
    (BIRTH, age(21), band("25_59"), "an age band, some years off"),
    (BIRTH, day("1990-01-01"), band("18_24"), "different"),
    (BIRTH, age(70), band("60_plus"), "an age band that fits"),
    (BIRTH, band("18_24"), band("18_24"), "an age band that fits"),
    (BIRTH, band("12_17"), band("18_24"), "an age band that fits"),
    (BIRTH, band("5_11"), band("12_17"), "an age band that fits"),
    (BIRTH, band("0_4"), band("18_24"), "different"),
    (BIRTH, band("0_4"), {"birth_date": None}, "not known"),
    (BIRTH, band("0_4"), {"birth_date": None, "age": 8}, "an age band, some years off"),
    (SEX, {}, {}, "the same"),
    (SEX, {}, {"sex": ""}, "not known"),
    (SEX, {}, {"sex": "1"}, "different"),
    (PLACE, {}, {"birth_place": "labe"}, "the same sound"),
    (PLACE, {"birth_place": "Basse"}, {"birth_place": "Basse Santa Su"}, "the same first word"),
    (PLACE, {"birth_place": "Ziguinchor"}, {"birth_place": "Zinguinchor"}, "a slip apart"),
    (PLACE, {}, {"birth_place": ""}, "not known"),
    (PLACE, {}, {"birth_place": "Bissau"}, "different"),
    (DOCUMENT, {}, {"document_number": "o 123-4567"}, "the same number"),
    (DOCUMENT, {}, {"document_type": ""}, "the same number"),
    (DOCUMENT, {}, {"document_number": "O1234568"}, "one slip in the number"),
    (DOCUMENT, {"document_number": "123"}, {"document_number": "124"}, "different"),
    (DOCUMENT, {}, {"document_number": ""}, "no two of one type"),
    (DOCUMENT, {}, {"document_type": "NI"}, "no two of one type"),
    (DOCUMENT, {"document_type": ""}, {"document_number": "O7654321"}, "no two of one type"),
    (DOCUMENT, {}, {"document_number": "O7654321"}, "different"),
    (TWINS, {}, {"given_name": "Awa"}, "one day of birth and one household, but another given name"),
    (TWINS, {}, {"given_name": "Awa", "family_name": "Sow", "mother_name": ""},
     "one day of birth and one household, but another given name"),
    (TWINS, {}, {"given_name": "Awa", "family_name": "Sow", "phone": ""},
     "one day of birth and one household, but another given name"),
    (TWINS, {}, {"given_name": "Awa", "family_name": "Sow", "phone": "", "mother_name": ""}, "different"),
    (TWINS, {}, {}, "different"),
    (TWINS, {}, day("1990-01-01"), "different"),
]  # fmt: skip


@pytest.mark.parametrize(("part", "mine", "theirs", "label"), CASES, ids=[f"{one[0].name}: {one[3]}" for one in CASES])
def test_levels(part: Part, mine: dict[str, Any], theirs: dict[str, Any], label: str) -> None:
    one, other = clean(**mine), clean("b", **theirs)
    assert part.levels[part.find_level(one, other)].label == label
    assert part.find_level(other, one) == part.find_level(one, other)


@given(st.sampled_from(OF_FILE), st.sampled_from(OF_FILE), st.sampled_from(COMPARISONS))
def test_who_comes_first_changes_nothing(one: Any, other: Any, comparison: Any) -> None:
    assert comparison.find_cell(one, other) == comparison.find_cell(other, one)


@pytest.mark.parametrize("comparison", COMPARISONS, ids=lambda one: one.name)
def test_cells_are_told_by_their_levels(comparison: Any) -> None:
    cell = comparison.find_cell(clean(), clean("b"))
    levels = [part.levels[part.find_level(clean(), clean("b"))].label for part in comparison.parts]
    assert [label for _, label in comparison.describe_cell(cell)] == levels


@pytest.mark.parametrize("comparison", COMPARISONS, ids=lambda one: one.name)
def test_the_last_condition_is_what_is_left(comparison: Any) -> None:
    conditions = [condition for _, condition in comparison.list_conditions()]
    assert (conditions[-1], conditions.count("ELSE")) == ("ELSE", 1)
