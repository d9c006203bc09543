"""The body of an XForm: which node is asked how, with which label, hint and choices, and which groups repeat."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, cast

from lxml import etree

from forms.definition import Choice, Control, Itemset, SecondaryInstance, Text
from forms.itext import Itext, is_itext, itext_argument
from forms.references import absolute_path, plain_path
from forms.xml import attributes_of, child, local_name, text_of, without_namespace

_CONTROLS = {"input", "select", "select1", "rank", "upload", "trigger", "range", "secret"}
_INSTANCE = re.compile(r"""instance\(\s*['"]([^'"]+)['"]\s*\)""")
_RANDOMIZE = re.compile(r"^\s*randomize\s*\(")
# Collect's old way to take choices from a file: appearance `search('villages', …)`.
_SEARCH = re.compile(r"""search\(\s*['"]([^'"]+)['"]""")


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
            self._read_children(element, self.root)
        return self.body

    def _read_children(self, element: etree._Element, base: str) -> None:
        for one in element:
            name = local_name(one)
            if name in _CONTROLS:
                self._read_control(one, cast(Control, name), base)
            else:
                self._container(name)(one, base)

    def _container(self, name: str) -> Callable[[etree._Element, str], None]:
        return {"group": self._read_group, "repeat": self._read_repeat}.get(name, self._read_children)

    def _path_of(self, element: etree._Element, base: str) -> str | None:
        bound = self.bind_ids.get(element.get("bind", ""))
        reference = element.get("ref") or element.get("nodeset")
        if bound is not None or reference is None:
            return bound
        return absolute_path(reference, base)

    def _read_group(self, element: etree._Element, base: str) -> None:
        path = self._path_of(element, base)
        if path is not None:
            self.body.parts[path] = Part("group", label=self._label(element), hint=self._hint(element))
        self._read_children(element, path or base)

    def _read_repeat(self, element: etree._Element, base: str) -> None:
        path = self._path_of(element, base)
        if path is None:
            return
        # pyxform labels the group around a repeat, which has the repeat's own path.
        around = self.body.parts.get(path, Part("group"))
        label = around.label or self._label(element)
        self.body.parts[path] = replace(around, kind="repeat", label=label, repeat_count=_repeat_count(element))
        self._read_children(element, path)

    def _read_control(self, element: etree._Element, control: Control, base: str) -> None:
        path = self._path_of(element, base)
        if path is None:
            return
        itemset = self._itemset(element) if control in {"select", "select1", "rank"} else None
        self.body.parts[path] = Part("question", control, self._label(element), self._hint(element), itemset)
        self.body.list_files.extend(_list_files(element))

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
