"""The answers of a submission as a reader sees them: by label, in groups and repeats, each held against the policy."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from flask_babel import format_date, format_datetime

from forms.definition import Field, FormDefinition
from forms.errors import pick_text
from forms.submission import Answer, Submission, list_answers
from server.words import label_field
from sync.policy import PERSONAL_CLASSES, Presented, Viewer, present, programme

_INDEX = re.compile(r"\[(\d+)\]$")
_NAMES = frozenset({"given_names", "family_name", "mother_name"})
_NUMBERS = frozenset({"phone", "document_number"})


@dataclass(frozen=True, slots=True)
class Row:
    """One answer: its question's label, what may be seen of it, and its place."""

    path: str
    label: str
    value: Presented
    data_class: str
    is_file: bool = False
    is_technical: bool = False


@dataclass(slots=True)
class Section:
    """A group or one turn of a repeat: its own answers and the sections inside it, in the form's order."""

    title: str = ""
    rows: list[Row] = field(default_factory=list)
    sections: list["Section"] = field(default_factory=list)

    def walk(self) -> Iterator[Row]:
        yield from self.rows
        for one in self.sections:
            yield from one.walk()

    @property
    def shows_something(self) -> bool:
        return any(not row.is_technical for row in self.walk())


def present_answers(submission: Submission, definition: FormDefinition, viewer: Viewer, language: str) -> Section:
    """All answers that are not blank; those that the viewer may not see keep their label and lose their value."""
    top = Section()
    sections: dict[str, Section] = {}
    for answer in list_answers(submission, definition):
        if answer.text:
            section = _find_section(answer.path, definition, language, top, sections)
            section.rows.append(_present(answer, definition, viewer, language))
    return top


def shows_personal_data(section: Section) -> bool:
    return any(row.value.kind != "absent" and row.data_class in PERSONAL_CLASSES for row in section.walk())


def classes_of(definition: FormDefinition) -> frozenset[str]:
    """Every class that an answer to this form can have."""
    leaves = (one for one in definition.fields if one.kind not in ("group", "repeat", "structure"))
    return frozenset(programme().data_class(definition.form_id, one.path) for one in leaves)


def _present(answer: Answer, definition: FormDefinition, viewer: Viewer, language: str) -> Row:
    known = answer.field
    data_class = programme().data_class(definition.form_id, answer.path)
    value = present(viewer, data_class, answer.text, _mask_kind(known))
    if value.kind == "shown":
        value = Presented("shown", word_answer(answer.text, known, language))
    return Row(
        path=answer.path,
        label=label_field(known, answer.path, language),
        value=value,
        data_class=data_class,
        is_file=known is not None and (known.control == "upload" or known.type == "binary"),
        is_technical=known is not None and known.kind != "question",
    )


def _mask_kind(known: Field | None) -> str:
    if known is None:
        return "text"
    if known.person in _NAMES:
        return "name"
    if known.person in _NUMBERS:
        return "number"
    return "date" if known.type in ("date", "dateTime") else "text"


def word_answer(text: str, known: Field | None, language: str) -> str:
    """An answer in the reader's words: labels for choices, dates as they are written here."""
    if known is None:
        return text
    if known.itemset is not None:
        return _word_choices(text, known, language)
    try:
        if known.type == "date":
            return str(format_date(date.fromisoformat(text), "long"))
        if known.type == "dateTime":
            return str(format_datetime(datetime.fromisoformat(text), "medium"))
    except (ValueError, OverflowError):
        # No date at all, or one at the very end of the calendar, which has no hour here.
        return text
    return text


def _word_choices(text: str, known: Field, language: str) -> str:
    labels = {one.value: pick_text(one.label, language) for one in known.itemset.choices} if known.itemset else {}
    chosen = text.split() if known.control in ("select", "rank") else [text]
    return ", ".join(labels.get(one) or one for one in chosen)


def _find_section(
    path: str, definition: FormDefinition, language: str, top: Section, sections: dict[str, Section]
) -> Section:
    """The section of an answer's innermost labelled group or repeat, made with its parents when it is the first."""
    place, plain, section = "", "", top
    for part in path.strip("/").split("/")[:-1]:
        place, plain = f"{place}/{part}", f"{plain}/{_INDEX.sub('', part)}"
        around = definition.by_path.get(plain)
        if around is None or not (around.kind == "repeat" or (around.kind == "group" and around.label)):
            continue
        if place not in sections:
            sections[place] = Section(_title(around, part, language))
            section.sections.append(sections[place])
        section = sections[place]
    return section


def _title(around: Field, part: str, language: str) -> str:
    index = _INDEX.search(part)
    name = label_field(around, part, language)
    return f"{_INDEX.sub('', name)} {index.group(1)}" if index else name
