"""Cells that are kept ready, and the columns that they are of."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from forms.errors import FormsError
from forms.submission import parse_submission
from forms.tables import Column, list_tables
from forms.xlsform import convert_xlsform
from sync.layouts import add_layouts, find_picks, list_layouts
from sync.models import AnswerLayout
from tests.forms.test_tables import FORM
from tests.server.rest.samples import record, simple, workbook

LAYOUT = list_layouts(FORM)[""]
ANSWERS = {"fruit": "=1", "place": "14 -17", "seller": {"stall": "B, 4"}}


def columns(*names: str) -> list[Column]:
    found = {one.place[-1]: one for one in list_tables(FORM)[""].columns}
    return [found[name] for name in names]


def asked(kind: str, name: str) -> list[Column]:
    """A column of another version of the form."""
    made = convert_xlsform(workbook(simple("market", "2", [kind, name, "L"])), "market.xlsx")
    return [one for one in list_tables(made.definition)[""].columns if one.place == (name,)]


@pytest.fixture
def known(session: Session) -> Session:
    add_layouts(session.connection(), list_layouts(FORM).values())
    return session


def test_the_cells_of_some_columns_are_taken_out_of_those_that_are_kept(known: Session) -> None:
    pick = find_picks(known, "market", "", columns("stall", "boxes", "place", "fruit"))[LAYOUT.id]
    assert pick(LAYOUT.write(ANSWERS)) == ['"B, 4"', "", "14", "-17", "", "", "'=1"]
    assert find_picks(known, "market", "", [])[LAYOUT.id](LAYOUT.write(ANSWERS)) == []


def test_what_a_version_did_not_ask_is_blank(known: Session) -> None:
    wanted = [*asked("text", "colour"), *columns("fruit")]
    assert find_picks(known, "market", "", wanted)[LAYOUT.id](LAYOUT.write(ANSWERS)) == ["", "'=1"]


@pytest.mark.parametrize(("kind", "name"), [("text", "place"), ("geopoint", "boxes"), ("datetime", "boxes")])
def test_a_column_of_another_kind_is_taken_from_no_kept_cells(known: Session, kind: str, name: str) -> None:
    assert find_picks(known, "market", "", asked(kind, name)) == {}


def test_a_number_and_a_text_are_written_alike(known: Session) -> None:
    assert list(find_picks(known, "market", "", asked("text", "boxes"))) == [LAYOUT.id]


def test_cells_that_an_older_program_wrote_otherwise_fit_no_longer(
    known: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.layouts._WRITING", 2)
    assert find_picks(known, "market", "", columns("fruit")) == {}


@pytest.mark.both_databases
def test_a_layout_is_noted_once_and_is_its_tables_alone(known: Session) -> None:
    add_layouts(known.connection(), [*list_layouts(FORM).values(), LAYOUT])
    assert known.scalar(select(func.count()).select_from(AnswerLayout)) == len(list_tables(FORM))
    assert find_picks(known, "other", "", columns("fruit")) == {}
    assert LAYOUT.id not in find_picks(known, "market", "crate", columns("fruit"))


def test_no_answer_has_the_character_between_cells() -> None:
    for written in ("\x1f", "&#x1f;", "&#31;"):
        with pytest.raises(FormsError):
            parse_submission(record("a", f"<fruit>a{written}b</fruit>"))
