"""Short forms that an administrator adds: understood in every spelling, and refused where they would do harm."""

from dataclasses import replace

import pytest

from forms.errors import FormsError
from sync.linkage.model import LinkModel, default_model
from sync.linkage.names import sound
from sync.linkage.pet_forms import add_pet_forms, list_pet_forms, parse_pet_forms
from sync.linkage.record import LinkRecord

BASE = replace(default_model(), name_order={}, aliases={"fatou": "fatoumata", "modou": "mamadou"}, learnt={"modou": 4})


def key(model: LinkModel, name: str) -> str:
    return model.cleaner.find_key(name)


def test_lines_are_read_as_people_write_them() -> None:
    text = "Coumba = Coumbayel\n\n  Séga=  Ségaly\r\nNdiouga =Ndiouguel "
    assert parse_pet_forms(text) == [("coumba", "coumbayel"), ("sega", "segaly"), ("ndiouga", "ndiouguel")]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "link_names_empty"), (" \n", "link_names_empty"), ("Coumba", "link_names_line"),
        ("Coumba = ", "link_names_line"), ("= Coumbayel", "link_names_line"),
        ("Coumba = Marie Coumbayel", "link_names_line"), ("12 = 13", "link_names_line"),
        ("A = Awa", "link_names_line"), ("Awa = A.", "link_names_line"),
    ],
)  # fmt: skip
def test_what_is_no_short_form_is_refused_with_its_line(text: str, code: str) -> None:
    with pytest.raises(FormsError) as refused:
        parse_pet_forms(text)
    assert refused.value.code == code


def test_a_short_form_has_the_key_of_the_full_name_in_every_spelling() -> None:
    model = add_pet_forms(BASE, [("doudou", "abdoulaye")])
    assert key(model, "dudu") == key(model, "abdulay") != key(BASE, "doudou")
    assert model.version != BASE.version


def test_two_records_in_two_forms_meet() -> None:
    one = LinkRecord("1", given_name="Doudou", family_name="Faye")
    other = LinkRecord("2", given_name="Abdoulaye", family_name="Faye")
    model = add_pet_forms(BASE, [("doudou", "abdoulaye")])
    assert model.cleaner.clean(one).given_1 == model.cleaner.clean(other).given_1
    assert BASE.cleaner.clean(one).given_1 != BASE.cleaner.clean(other).given_1


@pytest.mark.parametrize("turns", [1, -1], ids=["one way", "the other way"])
def test_a_short_form_of_a_short_form_stands_for_the_whole_name(turns: int) -> None:
    names = [("faty", "fatou"), ("fatoumata", "zeynabou")][::turns]
    model = add_pet_forms(BASE, names)
    assert {key(model, one) for one in ("fatou", "faty", "fatoumata")} == {key(model, "zeynabou")}


@pytest.mark.parametrize(
    ("short", "full", "code"),
    [
        ("modou", "moussa", "link_names_taken"),
        ("modu", "moussa", "link_names_taken"),
        ("mamadu", "mamadou", "link_names_one"),
        ("faye", "fatoumata", "link_names_family"),
    ],
)
def test_what_would_do_harm_is_refused(short: str, full: str, code: str) -> None:
    model = replace(BASE, name_order={sound("faye"): (900, 3)})
    with pytest.raises(FormsError) as refused:
        add_pet_forms(model, [(short, full)])
    assert refused.value.code == code


def test_they_are_listed_by_full_name_with_what_taught_them() -> None:
    assert list(list_pet_forms(BASE)) == [("fatoumata", [("fatou", "")]), ("mamadou", [("modou", "4")])]
