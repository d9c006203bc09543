"""Properties of entities in the reader's words: the labels and choices of the questions that fill them."""

from dataclasses import dataclass

from flask import current_app
from flask_babel import gettext
from sqlalchemy.orm import Session

from forms.definition import Field
from server.i18n import select_language
from server.web.answers import word_answer
from server.words import label_field
from sync.catalogue import read_generation
from sync.merge import LABEL
from sync.policy import Presented, Viewer, present_property
from sync.publishing import get_definition, list_open_versions

_KEPT = "teral_entity_questions"
Questions = dict[str, dict[str, Field]]


@dataclass(frozen=True, slots=True)
class EntityWords:
    """The words for one list's properties, each value as far as the viewer may see it."""

    list_name: str
    viewer: Viewer
    fields: dict[str, Field]

    def name(self, name: str) -> str:
        if name == LABEL:
            return str(gettext("Label"))
        return label_field(self.fields.get(name), name, select_language())

    def value(self, name: str, value: str | None) -> Presented:
        if value is None:
            return Presented("shown", "")
        shown = present_property(self.viewer, self.list_name, name, value)
        if shown.kind != "shown":
            return shown
        return Presented("shown", word_answer(value, self.fields.get(name), select_language()))


def entity_words(session: Session, viewer: Viewer, list_name: str) -> EntityWords:
    """The words for a list, as the forms say them that are open now."""
    return EntityWords(list_name, viewer, _read_questions(session).get(list_name, {}))


def _read_questions(session: Session) -> Questions:
    """The question behind each property of each list, read once by each process for every change of the forms."""
    generation = read_generation(session)
    kept: tuple[int, Questions] | None = current_app.extensions.get(_KEPT)
    if kept is None or kept[0] != generation:
        kept = current_app.extensions[_KEPT] = (generation, _gather(session))
    return kept[1]


def _gather(session: Session) -> Questions:
    found: Questions = {}
    for version in list_open_versions(session):
        definition = get_definition(session, version)
        for declaration in definition.entities:
            known = found.setdefault(declaration.list_name, {})
            for name, path in declaration.save_to:
                # Where several forms fill a property, the words of one that asks a person are the better ones.
                if name not in known or known[name].kind != "question":
                    known[name] = definition.by_path[path]
    return found
