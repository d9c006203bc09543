"""pyxform's messages → problems with our codes, at the sheet, row and column where the designer finds them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from forms.errors import FormProblem, Grade

Row = Mapping[str, object]

_ROW = re.compile(r"\[row : (\d+)\]")
_PLACE = re.compile(r"On the '([^']+)' sheet, the '([^']+)' value")
_SHEET = re.compile(r"(?:On the|for sheet:) '([^']+)'")


@dataclass(frozen=True, slots=True)
class _Known:
    """A message of pyxform 4.5 that we know: its named groups are our parameters."""

    code: str
    words: re.Pattern[str]
    sheet: str | None = None
    column: str | None = None
    # The parameter that is also the cell's content, to find the row when pyxform does not name it.
    cell: str | None = None


def _known(
    code: str, words: str, sheet: str | None = None, column: str | None = None, cell: str | None = None
) -> _Known:
    return _Known(code, re.compile(words, re.DOTALL), sheet, column, cell)


_KNOWN = (
    _known("unknown_type", r"Unknown question type '(?P<type>.*)'", "survey", "type", "type"),
    _known(
        "duplicate_name",
        r"'name' value '(?P<name>.*?)' is invalid\. Questions, groups, and repeats must",
        "survey",
        "name",
    ),
    _known("duplicate_name", r"'name' value '(?P<name>.*?)' is invalid\. Repeat names must", "survey", "name"),
    _known("bad_name", r"Names must begin with a letter or underscore", "survey", "name"),
    _known("duplicate_choice", r"Choice names must be unique", "choices", "name"),
    _known("choice_without_name", r"Choices must have a name", "choices", "name"),
    _known("choice_without_label", r"Choices should have a label", "choices", "label"),
    _known(
        "choice_with_space",
        r"Choice names with spaces .* See \[(?P<name>.*)\] in \[(?P<list>.*)\]",
        "choices",
        "name",
        "name",
    ),
    _known("missing_choices", r"List name not in (?:external )?choices sheet: (?P<list>.*)", "survey", "type"),
    _known("missing_choices_sheet", r"There should be an? (?:external_)?choices sheet", "choices"),
    _known("unknown_reference", r"Could not find the name '(?P<name>[^']*)'"),
    _known("ambiguous_reference", r"The name '(?P<name>[^']*)' appears more than once"),
    _known("malformed_reference", r"Reference variables must start with"),
    _known("unmatched_end", r"Unmatched 'end_(?P<type>\w+)'", "survey", "type"),
    _known("unmatched_begin", r"Unmatched 'begin_(?P<type>\w+)'.* for the name '(?P<name>.*)'", "survey", "type"),
    _known("missing_name", r"Question or group with no name", "survey", "name"),
    _known("missing_type", r"Question with no type", "survey", "type"),
    _known("missing_calculation", r"Missing calculation", "survey", "calculation"),
    _known("missing_label", r"survey element named '(?P<name>.*?)' has no label or hint", "survey", "label", "name"),
    _known("missing_survey", r"must have a sheet named 'survey'|survey sheet is either empty or missing", "survey"),
    _known("duplicate_header", r"Duplicate column header: (?P<header>.*)"),
    _known("duplicate_header", r"different names for the same column were found: '.*', '(?P<header>.*)'"),
    _known("missing_headers", r"required column headers were not found: (?P<missing>[^.]*)"),
    _known("form_file_unreadable", r"^Error reading \.|does not appear to be a valid XLSForm"),
    _known("save_to_invalid", r"the 'save_to' value is invalid", "survey", "save_to"),
    _known("entities_invalid", r"On the 'entities' sheet", "entities"),
    _known("include_refused", r"This section has not been included", "survey", "type"),
)


@dataclass(frozen=True, slots=True)
class Sheets:
    """The sheets that pyxform read, to find a cell again."""

    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)

    def find_row(self, sheet: str, column: str, content: str) -> int | None:
        """The number of the first row whose cell has that content; row 1 is the header."""
        for number, row in enumerate(self.rows.get(sheet, ()), start=2):
            if any(_plain(name) == column and str(value).strip() == content for name, value in row.items()):
                return number
        return None


def problem_of(message: str, sheets: Sheets, grade: Grade = "error") -> FormProblem:
    """What pyxform said, by our code if we know the message, in its own words in any case."""
    for known in _KNOWN:
        match = known.words.search(message)
        if match:
            return _placed(
                known, {name: text.strip() for name, text in match.groupdict().items()}, message, sheets, grade
            )
    return _placed(_known(f"pyxform_{grade}", ""), {}, message, sheets, grade)


def _placed(known: _Known, params: dict[str, str], message: str, sheets: Sheets, grade: Grade) -> FormProblem:
    row, place, named = _ROW.search(message), _PLACE.search(message), _SHEET.search(message)
    sheet = place.group(1) if place else known.sheet or (named.group(1) if named else None)
    number = int(row.group(1)) if row else None
    if number is None and known.cell and known.sheet:
        number = sheets.find_row(known.sheet, known.cell, params[known.cell])
    return FormProblem(
        code=known.code,
        params=dict(params),
        grade=grade,
        # pyxform's rows without a sheet are rows of the survey.
        sheet=sheet or ("survey" if number else None),
        row=number,
        column=place.group(2) if place else known.column,
        quoted=message.strip(),
    )


def _plain(header: str) -> str:
    return header.strip().lower().replace(" ", "_")
