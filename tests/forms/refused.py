"""A form with a bit of everything, and what can be wrong with it: samples/refused_form.xml and refused_forms.csv.

Each row replaces a piece of the form. It names the module that objects, with which codes, and whether JavaRosa opens
the form; where the two differ we are the stricter, for what fails on the tablet only later.
"""

import csv
from typing import NamedTuple

from forms.errors import FormProblem, FormRefused
from forms.publishable import read_publishable
from tests.forms.samples import SAMPLES

FORM = (SAMPLES / "refused_form.xml").read_text(encoding="utf-8")


class Change(NamedTuple):
    """One change to the form."""

    name: str
    found_by: str
    refused: str
    tablet: str
    old: str
    new: str

    def apply(self) -> str:
        assert self.old in FORM
        return FORM.replace(self.old, self.new, 1)


def changes(found_by: str | None = None) -> list[Change]:
    with (SAMPLES / "refused_forms.csv").open(encoding="utf-8", newline="") as lines:
        rows = [Change(**row) for row in csv.DictReader(lines)]
    return [row for row in rows if found_by is None or row.found_by == found_by]


def errors_in(xml: str) -> list[FormProblem]:
    """The errors that publishing a form would tell of."""
    try:
        read_publishable(xml.encode(), "form.xml")
    except FormRefused as refused:
        return [one for one in refused.problems if one.grade == "error"]
    return []


def codes_in(xml: str) -> str:
    return " ".join(dict.fromkeys(one.code for one in errors_in(xml)))
