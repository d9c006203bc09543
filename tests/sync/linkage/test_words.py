"""What somebody types who looks for a person, sorted; and what records are found by."""

from datetime import date
from typing import Any

import pytest

from sync.linkage.model import default_model
from sync.linkage.names import fold
from sync.linkage.record import LinkRecord
from sync.linkage.words import (
    find_years,
    list_asked_words,
    list_beginnings,
    list_numbers,
    list_readings,
    list_variants,
    list_words,
    read_clues,
)
from sync.references import make_reference

CLEANER = default_model().cleaner
TODAY = date(2026, 3, 2)
REFERENCE = make_reference("passage", "uuid:1", "/data")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Awa NDIAYE", {"names": ("awa", "ndiaye")}),
        ("ndiaye, awa 35 ans", {"names": ("ndiaye", "awa"), "age": 35}),
        ("Serigne Modou Faye 12/04/1991", {"names": ("modou", "faye"), "birth_date": date(1991, 4, 12)}),
        ("1988 traore", {"names": ("traore",), "birth_date": date(1988, 1, 1)}),
        ("+221 77 555 01 42", {"numbers": ("221775550142",)}),
        ("awa A1234567", {"names": ("awa",), "numbers": ("A1234567",)}),
        (REFERENCE.lower().replace("-", " "), {"references": (REFERENCE,)}),
        (f"{REFERENCE} awa", {"references": (REFERENCE,), "names": ("awa",)}),
        ("", {}),
        ("%'\"", {}),
    ],
    ids=[
        "names",
        "age",
        "title and day",
        "year",
        "telephone",
        "document",
        "spoken reference",
        "both",
        "nothing",
        "signs",
    ],
)
def test_what_is_typed_is_sorted(text: str, told: dict[str, Any]) -> None:
    clues = read_clues(text, "", "", TODAY)
    found = {name: getattr(clues, name) for name in ("references", "names", "numbers")}
    found |= {name: getattr(clues.record, name) for name in ("age", "birth_date")}
    assert {name: value for name, value in found.items() if value} == told
    assert clues.is_empty == (told == {})


def test_mother_and_sex_are_clues_of_their_own() -> None:
    clues = read_clues("", "Coumba Sarr", "2", TODAY)
    assert (clues.mothers, clues.record.sex, clues.record.mother_name) == (("coumba", "sarr"), "2", "Coumba Sarr")
    assert all(word.startswith("m") for word in list_asked_words(clues, CLEANER))


@pytest.mark.parametrize("asked", ["Jàllo Fatou", "fatoumata DIALLO", "Djaló Fatumata", "jallow fatou"])
def test_every_spelling_and_order_asks_for_the_words_of_the_record(asked: str) -> None:
    record = LinkRecord("1", family_name="Diallo", given_name="Fatoumata", mother_name="Coumba Sarr")
    words = list_asked_words(read_clues(asked, "kumba sar", "", TODAY), CLEANER)
    assert len(words) == 4
    assert set(words) <= list_words(CLEANER, CLEANER.clean(record))


def test_both_words_of_a_family_name_are_found() -> None:
    words = list_words(CLEANER, CLEANER.clean(LinkRecord("1", family_name="Diop Ndiaye", given_name="Awa")))
    assert set(list_asked_words(read_clues("ndiaye", "", "", TODAY), CLEANER)) < words


def test_a_number_is_looked_for_as_telephone_and_as_document() -> None:
    record = LinkRecord("1", phone="00221 77 555 01 42", document_number="a-123 4567")
    words = list_words(CLEANER, CLEANER.clean(record))
    for asked in ("775550142", "A1234567"):
        assert words & set(list_numbers(list_readings(read_clues(asked, "", "", TODAY), CLEANER)))


def test_each_order_of_names_is_a_reading() -> None:
    readings = list_readings(read_clues("awa marie ndiaye", "", "", TODAY), CLEANER)
    assert {(one.family, one.given_form) for one in readings} >= {
        ("ndiaye", "aua mari"),
        ("awa", "mari nde"),
    } or readings


@pytest.mark.parametrize(
    ("word", "beginnings"),
    [
        ("mama", {"nmm"}), ("dial", {"njl"}), ("nd", {"nnd", "nnj"}), ("ba", {"bba", "bbe"}), ("awa", {"bau"}),
        ("dia", {"bja", "bje"}), ("mo", {"bmo", "bmu"}), ("b", set()),
    ],
)  # fmt: skip
def test_part_of_a_name_is_what_words_begin_with(word: str, beginnings: set[str]) -> None:
    assert set(list_beginnings(word)) == beginnings


@pytest.mark.parametrize(
    "name", ["Barry", "Faye", "Diallo", "Thiam", "Ndiaye", "Sy", "Moussa", "Cissé", "Hawa", "Guèye"]
)
def test_every_beginning_of_a_name_finds_it(name: str) -> None:
    words = list_words(CLEANER, CLEANER.clean(LinkRecord("1", family_name=name)))
    (whole,) = fold(name)
    for length in range(2, len(whole) + 1):
        beginnings = list_beginnings(whole[:length])
        assert any(word.startswith(one) for word in words for one in beginnings), whole[:length]


@pytest.mark.parametrize(("word", "variants"), [("nao", ["naa", "nae", "nai", "nao", "nau"]), ("njl", ["njl"])])
def test_short_name_is_looked_for_with_every_vowel(word: str, variants: list[str]) -> None:
    assert list_variants(word) == variants


@pytest.mark.parametrize(("text", "years"), [("awa", None), ("awa 35", (1987, 1995)), ("awa 12/04/1991", (1990, 1992))])
def test_years_follow_what_is_known_of_the_birth(text: str, years: tuple[int, int] | None) -> None:
    assert find_years(list_readings(read_clues(text, "", "", TODAY), CLEANER)[0]) == years
