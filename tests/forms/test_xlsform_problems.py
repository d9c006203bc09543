import pytest

from forms.xlsform_problems import Sheets, problem_of

SHEETS = Sheets({"survey": [{"type": "text", "name": "a"}, {"Type": "textt", "name": "b"}]})


def test_row_without_number_is_found_by_its_cell() -> None:
    problem = problem_of("Unknown question type 'textt'.", SHEETS)
    assert (problem.code, problem.params, problem.sheet, problem.row, problem.column) == (
        "unknown_type", {"type": "textt"}, "survey", 3, "type",
    )  # fmt: skip
    assert problem_of("Unknown question type 'other'.", SHEETS).row is None


def test_place_that_pyxform_names_is_kept() -> None:
    message = (
        "[row : 7] On the 'choices' sheet, the 'name' value is invalid. Names must begin with a letter or underscore."
    )
    problem = problem_of(message, SHEETS)
    assert (problem.code, problem.sheet, problem.row, problem.column) == ("bad_name", "choices", 7, "name")


@pytest.mark.parametrize(
    ("message", "code", "sheet", "row"),
    [
        ("Something new.", "pyxform_error", None, None),
        ("[row : 4] Something new.", "pyxform_error", "survey", 4),
        ("On the 'osm' sheet something is new.", "pyxform_error", "osm", None),
    ],
)
def test_unknown_message_is_quoted(message: str, code: str, sheet: str | None, row: int | None) -> None:
    problem = problem_of(message, SHEETS)
    assert (problem.code, problem.sheet, problem.row, problem.quoted) == (code, sheet, row, message)


def test_warning_has_its_own_grade_and_code() -> None:
    problem = problem_of("[row : 4] Something mild.", SHEETS, "warning")
    assert (problem.code, problem.grade) == ("pyxform_warning", "warning")
