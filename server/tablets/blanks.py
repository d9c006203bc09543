"""A blank form as a tablet holds it: its XML read and compiled, its lists, and what fills itself when it opens."""

import re
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from lxml import etree

from forms.compiled import CompiledForm, compile_form
from forms.definition import Field, FormDefinition, SecondaryInstance
from forms.errors import FormsError
from forms.list_trees import build_list
from forms.lists import parse_list
from forms.node import Node
from forms.references import absolute_path
from forms.xform import XFORMS_NAMESPACE, parse_form
from forms.xml import FORM_LIMITS, local_name, parse_xml, text_of, without_namespace
from forms.xpath.compiler import Expression, compile_expression
from forms.xpath.errors import CannotVerify, XPathRefused

TEMPLATE = "{http://openrosa.org/javarosa}template"
LAST_SAVED = "jr://instance/last-saved"
# A tablet knows chance and itself, the server's engine refuses both: they are read from a list of that name instead.
CHANCE = "teral-chance"
_CHANCE = re.compile(r"""("[^"]*"|'[^']*')|\b(uuid|random)\(\s*\)|\bproperty\(\s*["'](?:uri:)?(\w+)["']\s*\)""")
_RULES = ("required", "relevant", "constraint", "calculate", "readonly", "repeat_count")
_OPENING = frozenset({"odk-instance-first-load", "odk-instance-load", "odk-new-repeat"})


@dataclass(frozen=True, slots=True)
class Action:
    """A setvalue or setgeopoint. `question` is the path whose change triggers it; None for one that opens a form."""

    path: str
    value: Expression | None
    question: str | None
    is_place: bool = False


@dataclass(slots=True)
class BlankForm:
    """One form version on a tablet. `hash` is what the form list said of it."""

    xml: bytes
    media: dict[str, bytes]
    hash: str
    compiled: CompiledForm
    template: etree._Element
    actions: list[Action]
    attributes: dict[str, dict[str, str]]
    lists: dict[str, Node] = field(default_factory=dict)

    @property
    def definition(self) -> FormDefinition:
        return self.compiled.definition

    def find_blank(self, path: str) -> etree._Element:
        """The element of a path as the form opens with it."""
        element = self.template
        for name in path.split("/")[2:]:
            element = next(one for one in element if local_name(one) == name)
        return element


def read_blank(xml: bytes, media: dict[str, bytes], form_hash: str = "") -> BlankForm:
    """Read a downloaded form with its files; raises FormsError for what a tablet cannot open."""
    definition = _with_chance(parse_form(xml))
    compiled = compile_form(definition)
    html = parse_xml(xml, FORM_LIMITS)
    blank = BlankForm(
        xml=xml, media=media, hash=form_hash, compiled=compiled, template=_primary_instance(html),
        actions=_actions(html, compiled), attributes=_control_attributes(html, definition),
    )  # fmt: skip
    blank.lists = {**compiled.inline_lists, **_lists(definition, media)}
    return blank


def _with_chance(definition: FormDefinition) -> FormDefinition:
    """The same form, asking a list where it asked the tablet."""
    chance = SecondaryInstance(CHANCE, f"jr://{CHANCE}")
    fields = tuple(_ask_list(one) for one in definition.fields)
    instances = (*definition.instances, chance)
    return replace(definition, fields=fields, instances=instances, by_path={}, derived={})


def _ask_list(one: Field) -> Field:
    changes: dict[str, Any] = {name: _rewrite(text) for name in _RULES if (text := getattr(one, name))}
    if one.itemset is not None:
        changes["itemset"] = replace(one.itemset, nodeset=_rewrite(one.itemset.nodeset))
    return replace(one, **changes)


def _rewrite(text: str) -> str:
    return _CHANCE.sub(_chance_path, text)


def _chance_path(found: re.Match[str]) -> str:
    quoted, function, name = found.groups()
    if quoted:
        return str(quoted)
    path = f"instance('{CHANCE}')/root/item/{function or name}"
    return f"number({path})" if function == "random" else path


def _primary_instance(html: etree._Element) -> etree._Element:
    """The record that the form opens with: no namespaces but those of its own, one instance of each repeat."""
    instance = next(one for one in html.iter() if local_name(one) == "instance")
    root = deepcopy(instance[0])
    _drop_doubles(root)
    for one in root.iter():
        if isinstance(one.tag, str) and one.tag.startswith(f"{{{XFORMS_NAMESPACE}}}"):
            one.tag = local_name(one)
    etree.cleanup_namespaces(root)
    return root


def _drop_doubles(element: etree._Element) -> None:
    seen: set[str] = set()
    for one in list(element):
        if not isinstance(one.tag, str) or one.tag in seen:
            element.remove(one)
            continue
        seen.add(one.tag)
        one.attrib.pop(TEMPLATE, "")
        _drop_doubles(one)


def _actions(html: etree._Element, compiled: CompiledForm) -> list[Action]:
    found = (_action(one, compiled) for one in html.iter() if local_name(one) in ("setvalue", "setgeopoint"))
    return [one for one in found if one is not None]


def _action(element: etree._Element, compiled: CompiledForm) -> Action | None:
    root = f"/{compiled.definition.root}"
    control = element.getparent()
    asked = control.get("ref") if control is not None else None
    path = absolute_path(element.get("ref") or "", asked or root)
    opens = not _OPENING.isdisjoint((element.get("event") or "").split())
    if not opens and asked is None:
        return None
    place = local_name(element) == "setgeopoint"
    return Action(path, None if place else _value(element, compiled), None if opens else asked, place)


def _value(element: etree._Element, compiled: CompiledForm) -> Expression | None:
    text = element.get("value") or (f"'{text_of(element)}'" if text_of(element) else "")
    if not text:
        return None
    try:
        return compile_expression(_rewrite(text), compiled.surroundings)
    except (XPathRefused, CannotVerify):
        return None


def _control_attributes(html: etree._Element, definition: FormDefinition) -> dict[str, dict[str, str]]:
    """What only controls say: the kind of file an upload takes, the steps of a range."""
    found = [one for one in html.iter() if local_name(one) in ("upload", "range") and one.get("ref")]
    return {
        absolute_path(one.get("ref", ""), f"/{definition.root}"): {
            without_namespace(str(name)): str(value) for name, value in one.attrib.items()
        }
        for one in found
    }


def _lists(definition: FormDefinition, media: dict[str, bytes]) -> dict[str, Node]:
    """The list files by instance id, and by file name for pulldata()."""
    trees: dict[str, Node] = {}
    for name, data in media.items():
        if name.endswith((".csv", ".xml", ".geojson")):
            try:
                trees[name] = build_list(parse_list(name, data).rows)
            except FormsError:
                continue
            trees[name.rpartition(".")[0]] = trees[name]
    by_id = {one.id: trees[one.filename] for one in definition.instances if one.filename in trees}
    return {**trees, **by_id}
