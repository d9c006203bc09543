"""A form file as it may be published: read, converted and checked, with the place of each problem.

What is wrong with forms is check.py's knowledge; where sheets come from is xlsform.py's.
"""

import dataclasses
from collections.abc import Iterator
from pathlib import PurePath

from forms.check import check_form
from forms.errors import FormProblem
from forms.lists import HeldLists
from forms.opening import list_failures_on_opening
from forms.outline import read_outline
from forms.refused_models import list_refused_of_model
from forms.refused_questions import list_refused_of_questions
from forms.xlsform import ReadForm, XlsFormRefused, read_form
from forms.xml import FORM_LIMITS, parse_xml


def read_publishable(data: bytes, filename: str, form_id_fallback: str | None = None) -> ReadForm:
    """Read and check a form; its `problems` are warnings. Raise FormRefused, with everything found, on an error."""
    read = read_form(data, filename, form_id_fallback)
    problems = [*read.problems, *(_place(one, read) for one in (*check_form(read.definition), *_refused(read)))]
    if any(one.grade == "error" for one in problems):
        raise XlsFormRefused(sorted(problems, key=lambda one: one.grade))
    return dataclasses.replace(read, problems=problems)


def _refused(read: ReadForm) -> Iterator[FormProblem]:
    """What would keep a tablet from opening the form, as far as that can be said without the files beside it."""
    html = parse_xml(read.xml, FORM_LIMITS)
    outline = read_outline(html, read.definition)
    yield from list_refused_of_model(html, outline)
    yield from list_refused_of_questions(html, outline)
    yield from list_failures_on_opening(html, read.definition, HeldLists())


def _place(problem: FormProblem, read: ReadForm) -> FormProblem:
    """Where the designer finds it: the row of the sheet, or in an XForm, which has no sheets, the node's path."""
    path = str(problem.params.get("path", ""))
    if read.source_kind == "xml":
        column = " ".join(filter(None, [path, problem.column]))
        return dataclasses.replace(problem, sheet=None, column=column or None)
    row = read.sheets.find_row(problem.sheet or "", "name", PurePath(path).name) if path else None
    return dataclasses.replace(problem, row=row)
