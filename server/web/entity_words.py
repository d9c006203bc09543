"""Properties of entities in the reader's words: the labels and choices of the questions that fill them."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Flask, current_app
from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.definition import Field
from forms.errors import FormProblem, pick_text
from server.i18n import select_language
from server.web.answers import word_answer
from server.web.labels import LABELS, label
from server.web.vocabularies import read_words
from sync.catalogue import read_generation
from sync.entity_history import Seen
from sync.merge import LABEL
from sync.models import Site
from sync.policy import Presented, Viewer, present_property, programme
from sync.publishing import get_definition, list_open_versions

_KEPT = "teral_entity_questions"
Questions = dict[str, dict[str, Field]]


def init_app(app: Flask) -> None:
    app.jinja_env.filters.update(missing=word_missing, seen=word_seen, problem_code=word_problem_code)


@dataclass(frozen=True, slots=True)
class EntityWords:
    """The words for one list's properties, each value as far as the viewer may see it."""

    list_name: str
    viewer: Viewer
    fields: dict[str, Field]
    sites: Mapping[str, str]  # names by code

    def name(self, name: str) -> str:
        if name == LABEL:
            return str(gettext("Label"))
        # A question of one form may ask for only one side of a property: where somebody goes is where they are.
        if self.list_name in programme().lists and name in LABELS["entity_property"]:
            return label(name, "entity_property")
        known = self.fields.get(name)
        return (pick_text(known.label, select_language()) if known and known.kind == "question" else "") or name

    def choices(self, name: str) -> list[tuple[str, str]]:
        """What may be chosen for a property, where its question has choices of its own."""
        if words := self._vocabulary(name):
            return list(words.items())
        known = self.fields.get(name)
        found = known.itemset.choices if known and known.itemset else ()
        return [(one.value, pick_text(one.label, select_language()) or one.value) for one in found]

    def value(self, name: str, value: str | None) -> Presented:
        if value is None:
            return Presented("shown", "")
        shown = present_property(self.viewer, self.list_name, name, value)
        if shown.kind != "shown":
            return shown
        if name == programme().policy_for_list(self.list_name).site_property:
            return Presented("shown", self.sites.get(value, value))
        word = self._vocabulary(name).get(value) or word_answer(value, self.fields.get(name), select_language())
        return Presented("shown", word)

    def _vocabulary(self, name: str) -> dict[str, str]:
        named = programme().policy_for_list(self.list_name).vocabularies.get(name)
        return read_words(named, select_language()) if named else {}


def word_missing(waits_for: str) -> str:
    """What an update waits for, in words (branches.py names it)."""
    kind, _, number = waits_for.rpartition(" ")
    if kind == "version":
        waited = gettext("It waits for version %(number)s, which its tablet had and this server lacks.", number=number)
        return str(waited)
    if kind == "branch version":
        return str(gettext("It waits for an earlier update of the same tablet, which has not arrived yet."))
    if waits_for == "creation":
        return str(gettext("It waits for the record that creates the row, which has not arrived yet."))
    return str(gettext("It waits for a record that has not arrived yet."))


def word_seen(seen: Seen) -> str:
    """What somebody had before them when they said something."""
    if seen.kind == "nothing":
        return str(gettext("Creates the row."))
    if seen.kind == "branch":
        given = {"number": seen.version, "change": seen.change}
        return str(gettext("Made offline: change %(change)s of its tablet since version %(number)s.", **given))
    if seen.kind == "question":
        return str(gettext("Decided with version %(number)s in view.", number=seen.version))
    return str(gettext("Had version %(number)s in view.", number=seen.version))


def word_problem_code(code: str) -> str:
    """Why an update can never be applied."""
    return FormProblem(code).word(gettext)


def entity_words(session: Session, viewer: Viewer, list_name: str) -> EntityWords:
    """The words for a list, as the forms say them that are open now."""
    sites = {row.code: row.name for row in session.execute(select(Site.code, Site.name))}
    return EntityWords(list_name, viewer, _read_questions(session).get(list_name, {}), sites)


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
