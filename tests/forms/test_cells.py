"""Cells: what stands in them, and that whoever opens our CSV calculates nothing and reads the same words."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.cells import CellReader, complete_zone, defuse, name_cells, write_cell
from forms.tables import list_tables
from tests.forms.test_tables import FORM

TABLE = list_tables(FORM)[""]
# Texts near the danger: what starts a formula, what is skipped before it, what is quoted, and anything.
TEXTS = st.text(st.one_of(st.sampled_from("=+-@\t\r \ufeff\n\"',;"), st.characters(codec="utf-8")), max_size=12)
VALUES = st.one_of(st.none(), TEXTS, st.integers(), st.floats())


def read(*names: str, **answers: Any) -> list[object]:
    return CellReader([one for one in TABLE.columns if one.place[-1] in names]).read(answers)


@given(st.lists(VALUES, min_size=2, max_size=5))
def test_cells_are_written_as_the_library_for_csv_writes_them(values: list[object]) -> None:
    target = io.StringIO()
    csv.writer(target, lineterminator="\r\n").writerow(map(defuse, values))
    assert f"{','.join(map(write_cell, values))}\r\n" == target.getvalue()


@given(TEXTS)
def test_no_text_is_a_formula_and_no_word_is_lost(text: str) -> None:
    [[cell]] = csv.reader(io.StringIO(write_cell(text) or '""', newline=""))
    assert not cell.lstrip(" \ufeff\n").startswith(("=", "+", "-", "@", "\t", "\r"))
    assert cell in (text, f"'{text}")


@pytest.mark.parametrize("text", ["=1+1", "+221", "-1", "@SUM(A1)", "\t=1", " =1", "\ufeff=1"])
def test_a_formula_gets_an_apostrophe(text: str) -> None:
    assert defuse(text) == f"'{text}"


@pytest.mark.parametrize("value", ["Fatou", "a=b", "", -3, None], ids=["name", "later", "blank", "number", "nothing"])
def test_what_is_harmless_stays(value: object) -> None:
    assert defuse(value) == value


def test_a_place_takes_four_cells_and_what_is_absent_is_none() -> None:
    assert read("place", place="14.7 -17.4 5") == [14.7, -17.4, 5, None]
    assert read("place", "fruit", fruit="mango") == ["mango", None, None, None, None]
    assert read("place", place="here -17") == ["here", -17, None, None]


def test_answers_in_groups_are_found_and_a_text_in_the_place_of_a_group_is_none() -> None:
    assert read("fruit", "stall", fruit="mango", seller={"stall": "B4"}) == ["mango", "B4"]
    assert read("fruit", "stall", fruit="mango", seller="loose") == ["mango", None]


def test_cells_are_called_by_their_groups_unless_these_are_not_wanted() -> None:
    stall, place = (next(one for one in TABLE.columns if one.place[-1] == name) for name in ("stall", "place"))
    assert (name_cells(stall, TABLE), name_cells(stall, TABLE, group_paths=False)) == (["seller-stall"], ["stall"])
    assert name_cells(place, TABLE)[:2] == ["place-Latitude", "place-Longitude"]


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("2026-01-01T10:00:00.000+07", "2026-01-01T10:00:00.000+07:00"),
        ("2026-01-01T10:00:00.000+07:00", "2026-01-01T10:00:00.000+07:00"),
        ("2026-01-01T10:00:00.000Z", "2026-01-01T10:00:00.000Z"),
        ("2026-01-01", "2026-01-01"),
    ],
    ids=["short zone", "full zone", "UTC", "no time"],
)
def test_a_short_zone_is_written_in_full(text: str, full: str) -> None:
    assert complete_zone(text) == full
