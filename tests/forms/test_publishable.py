"""Reading and checking in one step, and where problems are found again."""

import pytest

from forms.errors import FormRefused
from forms.publishable import read_publishable
from tests.forms.refused import Change, changes, codes_in
from tests.forms.samples import xform

HEAD = "| survey |\n| | type | name | label | relevant |\n"
SETTINGS = "| settings |\n| | form_id |\n| | essai |\n"


def test_a_warning_has_the_row_of_its_question() -> None:
    read = read_publishable(
        f"{HEAD}| | text | a | A | |\n| | text | b | B | 1 = /data/c |\n{SETTINGS}".encode(), "f.md"
    )
    [problem] = [one for one in read.problems if one.code == "reference_to_nothing"]
    assert (problem.grade, problem.sheet, problem.row, problem.column) == ("warning", "survey", 3, "relevant")


def test_an_error_refuses_the_form_with_all_that_was_found() -> None:
    rows = "| | text | a | A | 1 = /data/c |\n| | text | b | B | floor(1) = 1 |\n"
    with pytest.raises(FormRefused) as refused:
        read_publishable(f"{HEAD}{rows}{SETTINGS}".encode(), "f.md")
    assert [(one.grade, one.row) for one in refused.value.problems] == [("error", 3), ("warning", 2)]


def test_in_an_xform_the_node_s_path_stands_for_the_row() -> None:
    bind = '<bind nodeset="/data/a" relevant="floor(1)"/>'
    with pytest.raises(FormRefused) as refused:
        read_publishable(xform("<a/>", bind, '<input ref="/data/a"/>'), "f.xml")
    [problem] = refused.value.problems
    assert (problem.sheet, problem.row, problem.column) == (None, None, "/data/a relevant")


@pytest.mark.parametrize("change", changes("check"), ids=lambda change: change.name)
def test_what_the_rules_and_the_reading_object_to_stops_publishing(change: Change) -> None:
    assert codes_in(change.apply()) == change.refused
