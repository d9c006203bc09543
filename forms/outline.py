"""What the two rooms of refusals share: what the parts of a form may refer to, and how a refusal is told.

refused_models.py and refused_questions.py look at the form that xform.py has read, once more, with a tablet's eyes.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from forms.definition import FormDefinition
from forms.errors import FormProblem
from forms.xform import read_bind_ids
from forms.xml import child
from forms.xpath.errors import XPathRefused
from forms.xpath.parser import parse
from forms.xpath.part import Surroundings
from forms.xpath.syntax import Path

Texts = dict[str, Counter[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Outline:
    """What the parts of a form may refer to: its nodes by path, its binds by id, the texts of its default language."""

    definition: FormDefinition
    model: etree._Element
    surroundings: Surroundings
    bind_ids: Mapping[str, str]
    texts: frozenset[str]

    @property
    def root(self) -> str:
        return f"/{self.definition.root}"

    def has_node(self, path: str) -> bool:
        return path == self.root or path in self.definition.by_path


def read_outline(html: etree._Element, definition: FormDefinition) -> Outline:
    """The outline of a form that has been read before."""
    model = next(html.iter("{*}model"))
    instances = frozenset(one.id for one in definition.instances)
    known = next(iter(count_texts(child(model, "itext")).values()), Counter())
    return Outline(
        definition,
        model,
        Surroundings(definition, {}, instances),
        read_bind_ids(model, f"/{definition.root}"),
        frozenset(text for text, _ in known),
    )


def count_texts(itext: etree._Element | None) -> Texts:
    """How often each text and form of it stands in each language, the default language first."""
    translations = [] if itext is None else list(itext.iterchildren("{*}translation"))
    translations.sort(key=lambda one: one.get("default") is None)
    return {
        one.get("lang", ""): Counter(
            (text.get("id", ""), value.get("form") or "") for text in one.iterchildren("{*}text") for value in text
        )
        for one in translations
    }


def refusal(code: str, column: str | None = None, quoted: str | None = None, **params: object) -> FormProblem:
    """A problem of the survey sheet that stops publishing."""
    return FormProblem(code, params, sheet="survey", column=column, quoted=quoted)


def is_path(text: str) -> bool:
    """Whether a reference is what JavaRosa takes for one: a path, and no other expression."""
    try:
        return isinstance(parse(text), Path)
    except XPathRefused:
        return False
