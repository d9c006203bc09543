"""The body of an XForm: which node is asked how, with which label, hint and choices, and which groups repeat."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, cast

from lxml import etree

from forms.definition import Choice, Control, Itemset, SecondaryInstance, Text
from forms.itext import Itext, is_itext, itext_argument
from forms.references import absolute_path, plain_path
from forms.xml import attributes_of, child, local_name, text_of, without_namespace

SELECTS = frozenset(["select", "select1", "rank"])
CONTROLS = frozenset(["input", "upload", "trigger", "range", "secret"]) | SELECTS
CONTAINERS = frozenset(["group", "repeat"])
_INSTANCE = re.compile(r"""instance\(\s*['"]([^'"]+)['"]\s*\)""")
_RANDOMIZE = re.compile(r"^\s*randomize\s*\(")
# Collect's old way to take choices from a file: appearance `search('villages', …)`.
_SEARCH = re.compile(r"""search\(\s*['"]([^'"]+)['"]""")


@dataclass(slots=True)
class Place:
    """A question, group or repeat where the body asks for it; one that names no node is where its container is."""

    kind: str
    element: etree._Element
    path: str
    is_named: bool
    below: list["Place"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Part:
    """What the body says about one path."""

    kind: Literal["question", "group", "repeat"]
    control: Control | None = None
    label: Text = field(default_factory=dict)
    hint: Text = field(default_factory=dict)
    itemset: Itemset | None = None
    repeat_count: str | None = None


@dataclass(slots=True)
class Body:
    """Parts by path, in the order in which they are asked, and the list files that controls name."""

    parts: dict[str, Part] = field(default_factory=dict)
    list_files: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class BodyReader:
    """Reads a body against the texts, the lists and the bind ids of its form."""

    root: str
    itext: Itext
    instances: dict[str, SecondaryInstance]
    bind_ids: dict[str, str]
    body: Body = field(default_factory=Body)
    _choices: dict[tuple[str, str, str], tuple[Choice, ...]] = field(default_factory=dict)

    def read(self, element: etree._Element | None) -> Body:
        """Read the whole body; a form without one asks nothing."""
        if element is not None:
            self._read_places(list_places(element, self.root, self.bind_ids))
        return self.body

    def _read_places(self, places: Iterable[Place]) -> None:
        for one in places:
            if one.is_named:
                self.body.parts[one.path] = self._read(one)
            # A repeat of nothing has no rows in which anything could be asked.
            if one.is_named or one.kind == "group":
                self._read_places(one.below)

    def _read(self, place: Place) -> Part:
        element, label, hint = place.element, self._label(place.element), self._hint(place.element)
        if place.kind == "group":
            return Part("group", label=label, hint=hint)
        if place.kind == "repeat":
            # pyxform labels the group around a repeat, which has the repeat's own path.
            around = self.body.parts.get(place.path, Part("group"))
            return replace(around, kind="repeat", label=around.label or label, repeat_count=_repeat_count(element))
        self.body.list_files.extend(_list_files(element))
        itemset = self._itemset(element) if place.kind in SELECTS else None
        return Part("question", cast(Control, place.kind), label, hint, itemset)

    def _label(self, element: etree._Element) -> Text:
        return self.itext.of(child(element, "label"))

    def _hint(self, element: etree._Element) -> Text:
        return self.itext.of(child(element, "hint"))

    def _itemset(self, element: etree._Element) -> Itemset:
        itemset = child(element, "itemset")
        if _SEARCH.search(element.get("appearance", "")):
            # The choices in the form only name columns of the file that Collect searches.
            return Itemset(filtered=True)
        if itemset is None:
            items = [one for one in element.iter() if local_name(one) == "item"]
            return Itemset(choices=tuple(map(self._inline_choice, items)))
        nodeset = itemset.get("nodeset", "")
        named = _INSTANCE.search(_RANDOMIZE.sub("", nodeset).split("[")[0])
        value, label = (_ref_of(child(itemset, name), name) for name in ("value", "label"))
        instance = named.group(1) if named else None
        return Itemset(
            instance=instance,
            nodeset=nodeset,
            value_ref=plain_path(value),
            label_ref=plain_path(itext_argument(label)) if is_itext(label) else plain_path(label),
            filtered="[" in nodeset,
            choices=self._choices_of(instance, plain_path(value), label) if instance else (),
        )

    def _inline_choice(self, item: etree._Element) -> Choice:
        return Choice(text_of(child(item, "value")), self._label(item))

    def _choices_of(self, instance: str, value: str, label: str) -> tuple[Choice, ...]:
        """The choices of a list in the form itself; questions that share a list share them too."""
        key = (instance, value, label)
        if key not in self._choices:
            known = self.instances.get(instance)
            rows = known.items if known else ()
            self._choices[key] = tuple(Choice(row[value], self._row_label(row, label)) for row in rows if value in row)
        return self._choices[key]

    def _row_label(self, row: dict[str, str], label: str) -> Text:
        if not is_itext(label):
            return self.itext.text(row.get(plain_path(label), ""))
        return self.itext.texts.get(row.get(plain_path(itext_argument(label)), ""), {})


def list_places(parent: etree._Element, base: str, bind_ids: Mapping[str, str]) -> Iterator[Place]:
    """What is asked below an element, in order, with what stands in groups and repeats below them."""
    for one in parent:
        kind = local_name(one)
        if kind not in CONTROLS | CONTAINERS:
            yield from list_places(one, base, bind_ids)
            continue
        path = _path_of(one, base, bind_ids)
        place = Place(kind, one, base if path is None else path, path is not None)
        place.below += list_places(one, place.path, bind_ids) if kind in CONTAINERS else ()
        yield place


def _path_of(element: etree._Element, base: str, bind_ids: Mapping[str, str]) -> str | None:
    bound = bind_ids.get(element.get("bind", ""))
    reference = element.get("ref") or element.get("nodeset")
    return absolute_path(reference, base) if bound is None and reference else bound


def _ref_of(element: etree._Element | None, name: str) -> str:
    fallback = {"value": "name", "label": "label"}[name]
    return (element.get("ref") or fallback) if element is not None else fallback


def _repeat_count(element: etree._Element) -> str | None:
    counts = [value.strip() for name, value in attributes_of(element).items() if without_namespace(name) == "count"]
    return counts[0] if counts else None


def _list_files(element: etree._Element) -> list[str]:
    searched = [f"{name.removesuffix('.csv')}.csv" for name in _SEARCH.findall(element.get("appearance", ""))]
    # `select_one_external` becomes an input with a query; Collect reads it from this one file.
    return [*searched, "itemsets.csv"] if element.get("query") else searched
