"""A record while it is filled: its XML and the engine's nodes side by side, calculated anew as answers come.

What to answer is filler.py's choice; here are the rules: relevance, calculations, choices, constraints.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from forms.compiled import Rules
from forms.definition import Field
from forms.list_trees import build_list
from forms.node import Node
from forms.shapes import NodeShape, Record, build_record
from forms.xml import local_name, without_namespace
from forms.xpath.environment import Environment, is_relevant
from forms.xpath.errors import CannotVerify
from forms.xpath.moments import DAY, Moment
from forms.xpath.values import Value, to_text
from server.tablets.blanks import CHANCE, LAST_SAVED, BlankForm

_PASSES = 8


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands: an element, or one of its attributes."""

    element: etree._Element
    attribute: str | None = None

    def write(self, text: str) -> None:
        if self.attribute is None:
            self.element.text = text or None
        else:
            self.element.set(self.attribute, text)


# What a form asks of the tablet each time that it wants chance: a new `uuid`, a new `random`, and its properties.
DrawChance = Callable[[], dict[str, str]]
# The entity lists on board, which are no files: None for a list that this tablet does not have.
FindEntities = Callable[[str], Node | None]


class Draft:
    """One record. `now` is the tablet's own clock; `draw` gives chance anew each time that a form asks for it."""

    def __init__(
        self, blank: BlankForm, now: datetime, draw: DrawChance,
        last_saved: etree._Element | None, saved: etree._Element | None = None,
        find_entities: FindEntities = lambda _name: None,
    ) -> None:  # fmt: skip
        self.blank, self.now, self.draw = blank, now, draw
        self._find_entities = find_entities
        self._lists = dict(blank.lists)
        self.offset_ms = int(now.utcoffset().total_seconds() * 1000)  # type: ignore[union-attr]
        self.root = deepcopy(blank.template if saved is None else saved)
        self._last_saved = last_saved
        self._known_last: Node | None = None
        self.rebuild()

    def rebuild(self) -> None:
        """Read the nodes anew, after elements were added or removed."""
        self.record: Record = build_record(self.blank.compiled.shape, self.root)
        self.nodes: dict[Place, Node] = {}
        self.places: list[tuple[Node, Place]] = []
        self._pair(self.root, self.record.document.named[local_name(self.root)][0])
        local_ms = int(self.now.timestamp() * 1000) + self.offset_ms
        self.environment = Environment(
            document=self.record.document, slots=self.record.slots, now=Moment(local_ms), offset_ms=self.offset_ms,
            find_list=self._find_list, texts=self.blank.definition.texts,
            language=self.blank.definition.default_language or "en",
        )  # fmt: skip

    def _pair(self, element: etree._Element, node: Node) -> None:
        self._keep(node, Place(element))
        for name in element.attrib:
            attribute = node.attributes.get(without_namespace(str(name)))
            if attribute is not None:
                self._keep(attribute, Place(element, str(name)))
        counts: dict[str, int] = {}
        for one in element:
            name = local_name(one)
            index = counts[name] = counts.get(name, -1) + 1
            twins = node.named.get(name, [])
            if index < len(twins):
                self._pair(one, twins[index])

    def _keep(self, node: Node, place: Place) -> None:
        self.nodes[place] = node
        self.places.append((node, place))

    def _find_list(self, name: str) -> Node:
        if name == CHANCE:
            return build_list([self.draw()])
        # A file of that name comes before an entity list.
        known = self._lists.get(name) or self._find_entities(name)
        if known is not None:
            self._lists[name] = known
            return known
        instance = next((one for one in self.blank.definition.instances if one.id == name), None)
        if instance is None or instance.src != LAST_SAVED:
            raise CannotVerify("cannot_find_list", list=name)
        return self._last()

    def _last(self) -> Node:
        """The record that was saved before this one, blank the first time."""
        if self._known_last is None:
            root = self._last_saved if self._last_saved is not None else etree.Element(local_name(self.root))
            record = build_record(self.blank.compiled.shape, root)
            for node in record.nodes:
                node.relevant = True
            self._known_last = record.document
        return self._known_last

    def field_of(self, node: Node) -> Field | None:
        return node.shape.field if isinstance(node.shape, NodeShape) else None

    def rules(self, node: Node) -> Rules:
        rules = self.blank.compiled.rules
        return (
            rules[node.shape.path] if isinstance(node.shape, NodeShape) else rules[self.blank.compiled.shape.root.path]
        )

    def write(self, place: Place, text: str) -> None:
        """Put a text into a node; everything that was derived from its old one is forgotten."""
        node = self.nodes[place]
        place.write(text)
        if node.text != text:
            node.text = text
            self._forget()

    def _forget(self) -> None:
        self.environment.fuel = 3_000_000
        for node in self.record.nodes:
            node.cached = None
            shape = node.shape
            node.relevant = True if isinstance(shape, NodeShape) and shape.always_relevant else None

    def is_relevant(self, node: Node) -> bool:
        try:
            return is_relevant(node, self.environment)
        except CannotVerify:
            return True

    def satisfies(self, place: Place, text: str) -> bool:
        """Whether the constraint lets an answer stand; it is left standing for the question."""
        node = self.nodes[place]
        rule = self.rules(node).constraint
        place.write(text)
        node.text, node.cached = text, None
        if rule is None or not text:
            return True
        try:
            return rule.test(node, self.environment)
        except CannotVerify:
            return True

    def is_required(self, node: Node) -> bool:
        rule = self.rules(node).required
        try:
            return rule is not None and rule.test(node, self.environment)
        except CannotVerify:
            return True

    def count_repeats(self, node: Node) -> int | None:
        """How many instances the form itself demands; None where the officer decides."""
        counts = self.rules(node.parent).counts if node.parent is not None else ()
        rule = next((one.rule for one in counts if one.shape is node.shape), None)
        if rule is None:
            return None
        try:
            return max(0, int(float(to_text(rule.value(node, self.environment)) or 0)))
        except (CannotVerify, ValueError):
            return 0

    def choices(self, node: Node, one: Field) -> list[str]:
        """The values that are offered here and now."""
        rule, itemset = self.rules(node).itemset, one.itemset
        if rule is None:
            return [choice.value for choice in itemset.choices] if itemset else []
        try:
            rows = rule.nodes(node, self.environment)
        except CannotVerify:
            return []
        return [row.child_text(itemset.value_ref) for row in rows] if itemset else []

    def settle(self) -> None:
        """Calculate until nothing changes any more."""
        for _ in range(_PASSES):
            changed = [self._calculate(node, place) for node, place in self.places]
            if not any(changed):
                return
            self._forget()

    def _calculate(self, node: Node, place: Place) -> bool:
        rule = self.rules(node).calculate
        one = self.field_of(node)
        if rule is None or one is None:
            return False
        try:
            text = self.spell(rule.value(node, self.environment), one)
        except CannotVerify:
            return False
        if text == node.text:
            return False
        place.write(text)
        node.text, node.cached = text, None
        return True

    def spell(self, value: Value, one: Field) -> str:
        """A value as it is written into a node of the field's type."""
        if isinstance(value, Moment) and one.type in ("dateTime", "time"):
            return spell_moment(value, self.offset_ms, one.type)
        text = to_text(value)
        return text.removesuffix(".0") if one.type == "int" else "" if text == "NaN" else text

    def prune(self) -> None:
        """Leave out what is not relevant, as Collect does when it saves."""
        for node, place in self.places:
            if place.attribute is None and not self.is_relevant(node):
                parent = place.element.getparent()
                if parent is not None:
                    parent.remove(place.element)

    def to_xml(self) -> bytes:
        return b"<?xml version='1.0' ?>" + etree.tostring(self.root, encoding="unicode").encode()

    def close(self) -> None:
        self.record.dissolve()


def spell_moment(moment: Moment, offset_ms: int, kind: str) -> str:
    """JavaRosa's spelling: milliseconds and the zone, Z where it is UTC."""
    days, ms = divmod(moment.ms, DAY)
    clock = f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}{spell_zone(offset_ms)}"
    return clock if kind == "time" else f"{to_text(Moment(days * DAY))}T{clock}"


def spell_zone(offset_ms: int) -> str:
    if not offset_ms:
        return "Z"
    hours, minutes = divmod(abs(offset_ms) // 60_000, 60)
    return f"{'+' if offset_ms > 0 else '-'}{hours:02}:{minutes:02}"
