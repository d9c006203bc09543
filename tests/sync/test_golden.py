"""Of what several records say of a person one value is shown, with where it comes from."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from sync.golden import Manual, Source, choose_golden, parse_golden
from tests.sync.factory import NOW


def said(day: int, **values: Any) -> Source:
    return Source(f"R-{day}", (day,), values)


@pytest.mark.parametrize(
    ("sources", "value", "ground"),
    [
        pytest.param([said(1, family_name="Ndiaye")], "Ndiaye", "only", id="one record"),
        pytest.param(
            [said(1, family_name="Ndiaay", document_number="A1"), *(said(one, family_name="Njie") for one in (2, 3))],
            "Ndiaay", "document", id="a document against two records",
        ),
        pytest.param(
            [said(1, family_name="Njie"), said(2, family_name="Njie"), said(3, family_name="Ndiaye")],
            "Njie", "frequent", id="most records",
        ),
        pytest.param([said(1, family_name="Njie"), said(2, family_name="Ndiaye")], "Ndiaye", "latest", id="the latest"),
        pytest.param([said(1, family_name="Njie"), said(2, family_name="")], "Njie", "only", id="silence says nothing"),
    ],
)  # fmt: skip
def test_which_value_is_golden(sources: list[Source], value: str, ground: str) -> None:
    for order in permutations(sources):
        golden = choose_golden(order, {})["family_name"]
        assert (golden.value, golden.ground) == (value, ground)


def test_no_document_knows_a_telephone() -> None:
    sources = [said(1, phone="771234567", document_number="A1"), said(2, phone="781234567")]
    assert choose_golden(sources, {})["phone"].value == "781234567"


def test_a_value_that_somebody_set_stays() -> None:
    manual = {"family_name": Manual("Ndiaye", "uuid", NOW)}
    sources = [said(1, family_name="Njie", document_number="A1"), said(2, family_name="Ndiaye")]
    golden = choose_golden(sources, manual)["family_name"]
    assert (golden.value, golden.ground, golden.decision) == ("Ndiaye", "manual", "uuid")
    assert (list(golden.references), golden.others) == (["R-2"], 1)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("family_name", " Ndiaye ", "Ndiaye"), ("age", "07", "7"), ("age", "130", "130"),
        ("birth_date", "1994-05-17", "1994-05-17"), ("birth_date", NOW.date().isoformat(), NOW.date().isoformat()),
    ],
)  # fmt: skip
def test_a_value_is_written_as_records_write_it(name: str, text: str, value: str) -> None:
    assert parse_golden(name, text, NOW.date()) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("family_name", " "), ("age", ""), ("age", "old"), ("age", "-1"), ("age", "131"), ("birth_date", "17/05/1994"),
        ("birth_date", (NOW + timedelta(days=1)).date().isoformat()), ("birth_date", "0994-05-17"), ("birth_date", ""),
    ],
)  # fmt: skip
def test_what_no_record_could_say_is_no_value(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"no such value|isoformat|invalid literal"):
        parse_golden(name, text, NOW.date())


def test_each_value_names_its_records() -> None:
    golden = choose_golden([said(1, sex="2"), said(2, sex="2"), said(3, sex="1")], {})["sex"]
    assert (list(golden.references), golden.others) == (["R-1", "R-2"], 1)


def test_what_nobody_said_has_no_value() -> None:
    assert choose_golden([said(1, sex="2")], {}).keys() == {"sex"}
