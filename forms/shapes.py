"""The tree of nodes that a form has, and the building of a record's nodes from XML along it.

Absent nodes are put back blank: JavaRosa treats an absent answer as "", and a required answer that was cut out of the
XML must not pass. What the XML has beyond the form is set apart, for validation.py to report.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from forms.definition import Field, FormDefinition
from forms.node import LONGEST_TEXT, PLAIN, Node, Read, Shape, read_text
from forms.readers import COMPUTED_READERS, READ_CHOICES, READERS
from forms.xml import without_namespace
from forms.xpath.values import JAVA_SPACE

TEMPLATE = "{http://openrosa.org/javarosa}template"
CHOICE_CONTROLS = ("select", "rank")


class NodeShape(Shape):
    """The shape of one path of a form: its field, its place and its children. Slots number what stands once."""

    __slots__ = ("always_relevant", "attributes", "field", "is_leaf", "name", "slot")

    children: dict[str, "NodeShape"]

    def __init__(self, path: str, field: Field | None) -> None:
        super().__init__(_reader(field))
        self.path = path
        self.name = path.rsplit("/", 1)[-1].removeprefix("@")
        self.field = field
        self.attributes: dict[str, NodeShape] = {}
        self.repeats = field is not None and field.kind == "repeat"
        self.slot = -1
        self.always_relevant = True
        # Without children and attributes: its text is all there is.
        self.is_leaf = True

    def step(self, name: str, index: int) -> str:
        if self.repeats:
            return f"/{name}[{index + 1}]"
        return f"/@{name}" if self.field is not None and self.field.name.startswith("@") else f"/{name}"


def _reader(field: Field | None) -> Read:
    if field is None or field.kind in ("group", "repeat"):
        return read_text
    if field.control in CHOICE_CONTROLS:
        return READ_CHOICES
    # A choice is compared as a token, whatever the type of its bind.
    if field.control == "select1":
        return read_text
    return (COMPUTED_READERS if field.calculate else READERS).get(field.type, read_text)


@dataclass(slots=True)
class FormShape:
    """The root shape of a form and the slot of every path that exists once in each record."""

    root: NodeShape
    slots: dict[str, int] = field(default_factory=dict)

    def all(self) -> Iterator[NodeShape]:
        """Every shape in document order."""
        return _descend(self.root)


def _descend(shape: NodeShape) -> Iterator[NodeShape]:
    yield shape
    yield from shape.attributes.values()
    for child in shape.children.values():
        yield from _descend(child)


def build_shapes(definition: FormDefinition) -> FormShape:
    """The shapes of a form's nodes, linked as the form nests them."""
    root = NodeShape(f"/{definition.root}", None)
    by_path = {root.path: root}
    for one in definition.fields:
        parent_path, _, name = one.path.rpartition("/")
        parent = by_path.get(parent_path)
        if parent is None:
            continue
        shape = by_path[one.path] = NodeShape(one.path, one)
        if name.startswith("@"):
            parent.attributes[shape.name] = shape
        else:
            parent.children[name] = shape
        shape.above = parent
        parent.is_leaf = False
    form_shape = FormShape(root)
    _number(root, form_shape.slots)
    return form_shape


def _number(shape: NodeShape, slots: dict[str, int]) -> None:
    if shape.repeats:
        return
    shape.slot = slots[shape.path] = len(slots)
    for child in shape.children.values():
        _number(child, slots)


@dataclass(slots=True)
class Record:
    """The nodes of one submission in document order, and what the XML held beyond the form, with its path."""

    document: Node
    slots: list[Node | None]
    nodes: list[Node] = field(default_factory=list)
    unknown: list[tuple[str, str]] = field(default_factory=list)
    surplus: list[tuple[str, str]] = field(default_factory=list)

    def dissolve(self) -> None:
        """Cut the links upwards, so that the record is freed at once and the collector has nothing to find."""
        for node in self.nodes:
            node.parent = None


NAMES: dict[str, str] = {}
MOST_NAMES = 20_000


def _name(tag: str) -> str:
    name = NAMES.get(tag)
    if name is None:
        if len(NAMES) > MOST_NAMES:
            NAMES.clear()
        name = NAMES[tag] = without_namespace(tag)
    return name


def build_record(form_shape: FormShape, root: etree._Element) -> Record:
    """The nodes of a submission's XML, typed by its form."""
    document = Node("", Shape(), "", None)
    document.relevant = True
    record = Record(document, [None] * len(form_shape.slots))
    document.named = {form_shape.root.name: []}
    node = _add(record, form_shape.root, "", document, document.named[form_shape.root.name])
    _fill(record, form_shape.root, root, node)
    return record


def _add(record: Record, shape: NodeShape, text: str, parent: Node, siblings: list[Node]) -> Node:
    node = Node(shape.name, shape, text, parent, len(siblings))
    siblings.append(node)
    if shape.always_relevant:
        node.relevant = True
        if shape.read is read_text and shape.compute is None and len(text) <= LONGEST_TEXT:
            node.cached = text
    if shape.slot >= 0:
        record.slots[shape.slot] = node
    record.nodes.append(node)
    return node


def _fill(record: Record, shape: NodeShape, element: etree._Element, node: Node) -> None:
    named: dict[str, list[Node]] = {}
    node.named = named
    shapes = shape.children
    for child in element:
        tag = child.tag
        name = NAMES.get(tag) or _name(tag)
        child_shape = shapes.get(name)
        if child_shape is None:
            _set_apart(record.unknown, node, child)
            continue
        siblings = named.get(name)
        if siblings is None:
            siblings = named[name] = []
        elif not child_shape.repeats:
            _set_twin_apart(record.surplus, node, child, name)
            continue
        if child_shape.repeats and TEMPLATE in child.attrib:
            continue
        if child_shape.is_leaf and not len(child):
            text = child.text
            _add(record, child_shape, text.strip(JAVA_SPACE) if text else "", node, siblings)
        else:
            _fill(record, child_shape, child, _add(record, child_shape, "", node, siblings))
    if shape.attributes or node.parent is record.document:
        _fill_attributes(record, shape, element, node)
    if len(named) < len(shapes):
        for child_shape in [one for name, one in shapes.items() if name not in named and not one.repeats]:
            _put_back(record, child_shape, node)


def _fill_attributes(record: Record, shape: NodeShape, element: etree._Element, node: Node) -> None:
    given = {_name(str(name)): str(value) for name, value in element.attrib.items()}
    node.attributes = {}
    for name, attribute_shape in shape.attributes.items():
        attribute = Node(name, attribute_shape, given.get(name, "").strip(), node)
        node.attributes[name] = attribute
        record.nodes.append(attribute)
    if node.parent is record.document:
        # Expressions may ask for the record's own id and version.
        for name in given.keys() - shape.attributes.keys():
            node.attributes[name] = Node(name, PLAIN, given[name].strip(), node)
            node.attributes[name].relevant = True
            record.nodes.append(node.attributes[name])


def _put_back(record: Record, shape: NodeShape, parent: Node) -> None:
    siblings = parent.named[shape.name] = []
    node = _add(record, shape, "", parent, siblings)
    if shape.children:
        node.named = {}
    for child in shape.children.values():
        if not child.repeats:
            _put_back(record, child, node)


def _set_twin_apart(found: list[tuple[str, str]], parent: Node, element: etree._Element, name: str) -> None:
    twin = sum(_name(one.tag) == name for one in element.itersiblings(preceding=True)) + 1
    found.append((f"{parent.path()}/{name}[{twin}]", (element.text or "").strip()))


def _set_apart(found: list[tuple[str, str]], parent: Node, element: etree._Element) -> None:
    """Note a node that the form does not have, and the leaves below it."""
    path = f"{parent.path()}/{_name(element.tag)}"
    leaves = [one for one in element.iter() if not len(one)] if len(element) else [element]
    for leaf in leaves:
        below = "".join(f"/{_name(one.tag)}" for one in reversed(list(leaf.iterancestors())) if _is_below(one, element))
        found.append((path + below + (f"/{_name(leaf.tag)}" if leaf is not element else ""), (leaf.text or "").strip()))


def _is_below(one: etree._Element, element: etree._Element) -> bool:
    return any(above is element for above in one.iterancestors())
