"""A person of a repeat keeps the place where they first stood, whatever an edit does to the others."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.records import PersonRecord
from sync.places import is_repeated, keep_places

REPEAT = "/data/personnes"
AWA = PersonRecord("", 1, "Awa", "Ndiaye", "2", date(1994, 5, 17))
BINTA = PersonRecord("", 1, "Binta", "Camara", "2", date(2001, 3, 9))
OUSMANE = PersonRecord("", 1, "Ousmane", "Camara", "1", date(2019, 3, 3))
MODOU = PersonRecord("", 1, "Modou", "Faye", "1", date(1988, 11, 2))
NOBODY = PersonRecord("", 1, sex="1", age=30)


def say(*persons: PersonRecord, repeat: str = REPEAT) -> list[PersonRecord]:
    """One version of a record, with these persons in this order."""
    return [replace(one, path=f"{repeat}[{turn}]", position=turn) for turn, one in enumerate(persons, start=1)]


def places(*versions: list[PersonRecord]) -> list[int]:
    """The numbers of the places of the last version's persons, in order."""
    kept = keep_places(versions)
    return [int(kept[one.path].removeprefix(f"{REPEAT}[").removesuffix("]")) for one in versions[-1]]


@pytest.mark.parametrize(
    ("now", "kept"),
    [
        pytest.param([BINTA, OUSMANE], [2, 3], id="the first is taken out"),
        pytest.param([AWA, OUSMANE], [1, 3], id="the second is taken out"),
        pytest.param([AWA, BINTA], [1, 2], id="the last is taken out"),
        pytest.param([OUSMANE], [3], id="all but the last are taken out"),
        pytest.param([MODOU, AWA, BINTA, OUSMANE], [4, 1, 2, 3], id="one is put before"),
        pytest.param([AWA, BINTA, OUSMANE, MODOU], [1, 2, 3, 4], id="one is added"),
        pytest.param([BINTA, AWA, OUSMANE], [2, 1, 3], id="two change their turn"),
        pytest.param([BINTA, OUSMANE, MODOU], [2, 3, 4], id="one is taken out and another added"),
        pytest.param([AWA, MODOU, OUSMANE], [1, 4, 3], id="another stands where one stood"),
        pytest.param([replace(BINTA, phone="775550142"), OUSMANE], [2, 3], id="one moves and is given a telephone"),
        pytest.param([replace(BINTA, family_name="Kamara"), OUSMANE], [2, 3], id="one moves and is spelt otherwise"),
        pytest.param([replace(BINTA, family_name=None), OUSMANE], [2, 3], id="one moves and loses a name"),
        pytest.param([AWA, BINTA, replace(OUSMANE, birth_date=date(2018, 3, 3))], [1, 2, 3], id="a birth is corrected"),
        pytest.param([replace(AWA, given_names="Coumba"), BINTA, OUSMANE], [1, 2, 3], id="a given name is corrected"),
        pytest.param([replace(AWA, given_names=None, family_name=None), BINTA, OUSMANE], [1, 2, 3], id="unnamed"),
        pytest.param([replace(AWA, given_names="Coumba", sex=None), OUSMANE], [4, 3], id="two reasons to doubt"),
    ],
)
def test_after_an_edit(now: list[PersonRecord], kept: list[int]) -> None:
    assert places(say(AWA, BINTA, OUSMANE), say(*now)) == kept


def test_a_record_that_nobody_edited_has_its_own_positions() -> None:
    assert places(say(AWA, BINTA)) == [1, 2]


def test_who_comes_back_has_their_place_again() -> None:
    assert places(say(AWA, BINTA), say(BINTA), say(MODOU, BINTA), say(BINTA, AWA, MODOU)) == [2, 1, 3]


def test_who_was_gone_gives_their_place_to_nobody() -> None:
    assert places(say(AWA, BINTA), say(AWA), say(AWA, MODOU)) == [1, 3]


def test_a_namesake_of_one_who_is_gone_is_somebody_else() -> None:
    assert places(say(AWA, BINTA), say(BINTA), say(BINTA, replace(AWA, birth_date=None))) == [2, 3]


def test_a_person_is_followed_through_all_edits() -> None:
    corrected = replace(OUSMANE, birth_date=date(2018, 3, 3))
    assert places(say(AWA, BINTA, OUSMANE), say(BINTA, OUSMANE), say(BINTA, corrected), say(corrected)) == [3]


def test_of_twins_with_equal_answers_each_has_one_place() -> None:
    assert places(say(OUSMANE, OUSMANE, AWA), say(OUSMANE, OUSMANE)) == [1, 2]
    assert places(say(AWA, OUSMANE, OUSMANE), say(OUSMANE, OUSMANE)) == [3, 2]
    assert places(say(OUSMANE, OUSMANE), say(replace(OUSMANE, phone="775550142"), OUSMANE)) == [1, 2]


def test_those_who_give_no_name_stay_in_their_order() -> None:
    assert places(say(NOBODY, AWA, NOBODY), say(AWA, NOBODY)) == [2, 3]


@pytest.mark.parametrize(
    ("second", "kept"),
    [
        pytest.param({"phone": "775550142"}, [2], id="with a telephone"),
        pytest.param({"birth_date": date(2010, 1, 1)}, [3], id="of whom one cannot tell"),
        pytest.param({"given_names": "Brahima"}, [3], id="of another name"),
    ],
)
def test_a_brother_who_moves_up_is_not_taken_for_the_first(second: dict[str, object], kept: list[int]) -> None:
    mamadou = replace(OUSMANE, given_names="Mamadou", birth_date=date(2010, 3, 3))
    assert places(say(mamadou, OUSMANE), say(replace(OUSMANE, **second))) == kept  # type: ignore[arg-type]


def test_a_brother_in_the_place_of_one_is_somebody_else() -> None:
    assert places(
        say(AWA, OUSMANE), say(AWA, replace(OUSMANE, given_names="Mamadou", birth_date=date(2012, 1, 1)))
    ) == [
        1,
        3,
    ]


def test_a_family_name_alone_is_nobody_who_moved() -> None:
    assert places(say(PersonRecord("", 1, family_name="Camara"), AWA), say(AWA, BINTA)) == [2, 3]


def test_a_namesake_who_moves_up_is_not_taken_for_the_older() -> None:
    girl = replace(AWA, birth_date=date(2015, 1, 1))
    assert places(say(AWA, girl), say(replace(girl, birth_date=date(2005, 1, 1)))) == [3]


def test_one_person_per_record_is_corrected_and_never_another() -> None:
    alone = replace(AWA, path="/data/personne")
    assert keep_places([[alone], [replace(MODOU, path="/data/personne")]]) == {"/data/personne": "/data/personne"}
    assert not is_repeated(alone.path)


def test_whole_households_are_followed() -> None:
    first, second = (f"/data/menages[{turn}]/membres" for turn in (1, 2))
    before = say(AWA, MODOU, repeat=first) + say(BINTA, OUSMANE, repeat=second)
    kept = keep_places([before, say(BINTA, OUSMANE, MODOU, repeat=first)])
    assert kept == {f"{first}[1]": f"{second}[1]", f"{first}[2]": f"{second}[2]", f"{first}[3]": f"{first}[2]"}


def test_a_place_that_is_told_stands() -> None:
    erased = [PersonRecord(f"{REPEAT}[1]", 1, sex="2", place=f"{REPEAT}[2]")]
    assert places(say(AWA, BINTA), erased) == [2]
    assert places(say(AWA, BINTA), erased, say(MODOU, OUSMANE)) == [3, 4]
    assert places(say(AWA, BINTA), erased, say(BINTA)) == [2]


def test_a_sex_that_is_corrected_where_no_name_is_said_is_somebody_else() -> None:
    assert places(say(NOBODY, AWA), say(replace(NOBODY, sex="2"), AWA)) == [3, 2]
    assert places(say(NOBODY, AWA), say(replace(NOBODY, nationality="GMB"), AWA)) == [1, 2]


FACES = [AWA, BINTA, OUSMANE, MODOU, NOBODY, replace(AWA, family_name=None), replace(OUSMANE, given_names="Mamadou")]
versions = st.lists(st.lists(st.sampled_from(FACES), max_size=5), min_size=1, max_size=5)


@given(versions)
def test_no_two_persons_of_a_version_have_one_place(told: list[list[PersonRecord]]) -> None:
    kept = places(*(say(*one) for one in told))
    assert len(set(kept)) == len(told[-1])


@given(st.permutations(FACES), st.sets(st.integers(0, 6)))
def test_taking_any_out_and_turning_the_others_moves_nobody(turned: list[PersonRecord], gone: set[int]) -> None:
    left = [one for one in turned if FACES.index(one) not in gone]
    assert places(say(*FACES), say(*left)) == [FACES.index(one) + 1 for one in left]


@given(versions)
def test_an_edit_that_changes_nothing_moves_nobody(told: list[list[PersonRecord]]) -> None:
    chain = [say(*one) for one in told]
    assert keep_places([*chain, chain[-1]]) == keep_places(chain)
