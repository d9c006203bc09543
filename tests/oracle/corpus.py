"""The forms that both engines are asked about: our own small ones (forms/*.md) and those that we ship.

A form of our own may carry a sheet `samples` (name, value): answers that its rules take or refuse. XLSForm readers
skip sheets that they do not know.
"""

import csv
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

from forms.definition import Field, FormDefinition
from forms.lists import HeldLists, parse_list
from forms.xlsform import read_form
from tests.library_fills import ON_BOARD

OWN = Path(__file__).with_name("forms")
OWN_PATHS = sorted(OWN.glob("*.md"))
LIBRARY = Path(__file__).parents[2] / "forms" / "library"
BLANK = "(blank)"
LIST_FILES = {".csv", ".xml", ".geojson"}


@dataclass(frozen=True)
class Form:
    """One form of the corpus with the lists beside it and answers worth trying, by name of the question."""

    name: str
    xml: str
    definition: FormDefinition
    media: dict[str, str] = field(default_factory=dict)
    samples: dict[str, list[str]] = field(default_factory=dict)

    @cached_property
    def list_rows(self) -> dict[str, list[dict[str, str]]]:
        """The rows of every list, by instance id."""
        rows = {one.id: list(one.items) for one in self.definition.instances}
        for one in self.definition.instances:
            if one.filename in self.media:
                rows[one.id] = _rows(one.filename, self.media[one.filename])
        return rows

    @cached_property
    def lists(self) -> HeldLists:
        """The lists beside the form, as the server holds them."""
        return HeldLists({name: parse_list(name, text.encode()) for name, text in self.media.items()})

    def choices_of(self, question: Field) -> list[str]:
        """Every value of a select's list, whatever its filter says; empty where the list is made of answers."""
        itemset = question.itemset
        if itemset is None:
            return []
        if itemset.instance is None:
            return [choice.value for choice in itemset.choices]
        return [row.get(itemset.value_ref, "") for row in self.list_rows.get(itemset.instance, [])]


def all_forms() -> list[Form]:
    return [read_corpus_form(path) for path in (*OWN_PATHS, *sorted(LIBRARY.glob("*.xlsx")))]


@cache
def read_corpus_form(path: Path) -> Form:
    made = read_form(path.read_bytes(), path.name)
    named = {one.filename for one in made.definition.instances} | {one.name for one in made.definition.attachments}
    return Form(
        name=path.stem,
        xml=made.xml.decode("utf-8"),
        definition=made.definition,
        media=_media(path.parent, {name for name in named if name is not None}),
        samples=_samples(path.read_text(encoding="utf-8")) if path.suffix == ".md" else {},
    )


def _media(folder: Path, names: set[str]) -> dict[str, str]:
    # sites.csv is made by the server; the one among our forms stands in for it.
    places = [path for name in sorted(names) for place in (OWN, folder) for path in place.rglob(name)]
    found = [path for path in places if path.suffix in LIST_FILES]
    # Entity lists are the server's too: here they are what a tablet has on board.
    made = {name: data.decode() for name, data in ON_BOARD.items() if name in names}
    return {**made, **{path.name: path.read_text(encoding="utf-8-sig") for path in found}}


def _rows(name: str, text: str) -> list[dict[str, str]]:
    if not name.endswith(".csv"):
        return list(parse_list(name, text.encode()).rows)
    lines = text.splitlines()
    # JavaRosa's rule: a semicolon anywhere in the header makes it the delimiter.
    return list(csv.DictReader(lines, delimiter=";" if ";" in lines[0] else ","))


def _samples(markdown: str) -> dict[str, list[str]]:
    _, _, sheet = markdown.partition("| samples |\n")
    samples: dict[str, list[str]] = {}
    for line in sheet.splitlines()[1:]:
        _, _, name, value, _ = line.split("|")
        # One space on either side of a cell is layout; more of it is the answer's.
        answer = value.removeprefix(" ").rstrip()
        samples.setdefault(name.strip(), []).append("" if answer == BLANK else answer)
    return samples
