"""XForm XML → FormDefinition. Nothing is evaluated here: expressions are kept as the designer wrote them.

Texts are read in itext.py, questions in body.py, entity declarations in declarations.py.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from lxml import etree

from forms.body import Body, BodyReader, Part
from forms.declarations import ENTITIES_NAMESPACE, EntityNode, read_declarations
from forms.definition import (
    ENCOUNTER_PROPERTIES,
    PERSON_PROPERTIES,
    Attachment,
    EntityDeclaration,
    Field,
    FormDefinition,
    SecondaryInstance,
)
from forms.errors import FormRefused
from forms.itext import Itext, read_itext
from forms.lists import find_tree
from forms.references import absolute_path, ancestor_paths
from forms.xml import FORM_LIMITS, attributes_of, child, local_name, parse_xml, text_of, without_namespace

TERAL_NAMESPACE = "urn:teral:xforms"
XFORMS_NAMESPACE = "http://www.w3.org/2002/xforms"
_JAVAROSA = "{http://openrosa.org/javarosa}"
_TERAL = f"{{{TERAL_NAMESPACE}}}"
_ENTITIES = f"{{{ENTITIES_NAMESPACE}}}"

# Old XForms name XML Schema's other numbers, and lower-case the types.
_TYPES = {"integer": "int", "long": "int", "double": "decimal", "float": "decimal", "datetime": "dateTime"}
_ATTACHMENT_TYPES: dict[str, Literal["image", "audio", "video", "file", "list"]] = {
    "images": "image", "audio": "audio", "video": "video", "file": "file", "file-csv": "list",
}  # fmt: skip
_JR_FILE = re.compile(r"^jr://(images|audio|video|file-csv|file)/(.+)$")
_PULLDATA = re.compile(r"""pulldata\(\s*['"]([^'"]+)['"]""")
# What puts a value into a node, wherever it stands.
ACTIONS = ("setvalue", "setgeopoint", "recordaudio")

Kind = Literal["question", "calculate", "group", "repeat", "meta", "structure"]


def parse_form(xml: bytes) -> FormDefinition:
    """Read a form, or raise FormRefused (or XmlRefused) with the reason that its designer can act on."""
    return _FormReader.open(parse_xml(xml, FORM_LIMITS)).read()


@dataclass(frozen=True, slots=True)
class _Node:
    """One element or attribute of the primary instance."""

    path: str
    has_children: bool = False
    default: str = ""


@dataclass(slots=True)
class _FormReader:
    """One form being read: what is found first is needed by what comes after."""

    html: etree._Element
    model: etree._Element
    root: etree._Element
    itext: Itext
    nodes: dict[str, _Node] = field(default_factory=dict)
    entity_nodes: list[EntityNode] = field(default_factory=list)
    binds: dict[str, etree._Element] = field(default_factory=dict)
    body: Body = field(default_factory=Body)
    set_by_action: dict[str, str] = field(default_factory=dict)

    @classmethod
    def open(cls, html: etree._Element) -> "_FormReader":
        model = next(html.iter("{*}model"), None)
        if model is None:
            raise FormRefused("form_without_model")
        return cls(html, model, primary_instance(html), read_itext(model))

    @property
    def root_path(self) -> str:
        return f"/{local_name(self.root)}"

    def read(self) -> FormDefinition:
        form_id = form_id_of(self.root)
        if not form_id:
            raise FormRefused("form_without_id")
        instances = _secondary_instances(self.model)
        self._read_node(self.root, self.root_path)
        self.binds = dict(_list_binds(self.model, self.root_path))
        bind_ids = read_bind_ids(self.model, self.root_path)
        reader = BodyReader(self.root_path, self.itext, {one.id: one for one in instances}, bind_ids)
        self.body = reader.read(child(self.html, "body"))
        self._read_actions()
        self._refuse_unknown_nodes()
        return self._definition(form_id, instances)

    def _read_node(self, element: etree._Element, path: str) -> None:
        """Collect nodes in document order; of a repeat's template and its first instance, the first counts."""
        if path in self.nodes:
            return
        self.nodes[path] = _Node(
            path, has_children=len(element) > 0, default=element.text or "" if not len(element) else ""
        )
        dataset = element.get("dataset")
        if local_name(element) == "entity" and dataset is not None and path.endswith("/meta/entity"):
            self._read_entity_node(element, path, dataset)
        for one in element:
            self._read_node(one, f"{path}/{local_name(one)}")

    def _read_entity_node(self, element: etree._Element, path: str, dataset: str) -> None:
        if any(local_name(one) == "entity" for one in element.itersiblings()):
            raise FormRefused("entities_one_per_container")
        names = [without_namespace(name) for name in attributes_of(element)]
        self.entity_nodes.append(EntityNode(path.removesuffix("/meta/entity"), dataset, frozenset(names)))
        for name in names:
            self.nodes[f"{path}/@{name}"] = _Node(f"{path}/@{name}", default=element.get(name, ""))

    def _read_actions(self) -> None:
        """Nodes that an action fills are not asked and not calculated, yet they hold an answer."""
        for one in self.html.iter(*(f"{{*}}{name}" for name in ACTIONS)):
            target = one.get("ref") or one.get("bind")
            if target:
                value = one.get("value") or text_of(one)
                self.set_by_action.setdefault(absolute_path(target, self.root_path), value)

    def _refuse_unknown_nodes(self) -> None:
        for path, part in self.body.parts.items():
            if path not in self.nodes and part.kind != "group":
                raise FormRefused("control_without_node", path=path)

    def _definition(self, form_id: str, instances: tuple[SecondaryInstance, ...]) -> FormDefinition:
        fields = tuple(self._fields())
        _refuse_claims(fields)
        submission = child(self.model, "submission")
        public_key = submission.get("base64RsaPublicKey") if submission is not None else None
        return FormDefinition(
            form_id=form_id,
            version=version_of(self.root),
            title=self._title() or form_id,
            root=local_name(self.root),
            fields=fields,
            languages=self.itext.languages,
            default_language=self.itext.default_language,
            instances=instances,
            entities=self._entities(fields),
            attachments=self._attachments(instances),
            encrypted=bool(public_key),
            public_key=public_key or None,
            submission_url=(submission.get("action") or None) if submission is not None else None,
            texts=self.itext.texts,
        )

    def _title(self) -> str:
        head = child(self.html, "head")
        return text_of(child(head, "title")) if head is not None else ""

    def _entities(self, fields: tuple[Field, ...]) -> tuple[EntityDeclaration, ...]:
        calculated = {one.path: one.calculate for one in fields if one.calculate}
        return read_declarations(
            self.entity_nodes,
            self.model.get(f"{_ENTITIES}entities-version"),
            {path for path, part in self.body.parts.items() if part.kind == "repeat"},
            {one.path: one.save_to for one in fields if one.save_to},
            {**self.set_by_action, **calculated},
        )

    def _attachments(self, instances: tuple[SecondaryInstance, ...]) -> tuple[Attachment, ...]:
        defaults = [node.default.strip() for node in self.nodes.values()]
        found = [_attachment(address) for address in (*self.itext.media, *defaults)]
        lists = [one.filename for one in instances if one.filename] + self.body.list_files + self._pulled()
        found += [Attachment(name, "list") for name in lists]
        return tuple({one.name: one for one in found if one is not None}.values())

    def _pulled(self) -> list[str]:
        """Files that pulldata() names; the designer may leave out `.csv`."""
        expressions = (value for bind in self.binds.values() for value in attributes_of(bind).values())
        names = [name for one in expressions for name in _PULLDATA.findall(one)]
        known = {one.get("id") for one in self.model.iter("{*}instance")}
        return [name if "." in name else f"{name}.csv" for name in names if name not in known]

    def _fields(self) -> Iterator[Field]:
        repeats = {path for path, part in self.body.parts.items() if part.kind == "repeat"}
        for path, node in self.nodes.items():
            if path != self.root_path:
                yield self._field(node, next((one for one in ancestor_paths(path) if one in repeats), None))

    def _field(self, node: _Node, repeat: str | None) -> Field:
        bind = self.binds.get(node.path)
        part = self.body.parts.get(node.path)
        attributes = attributes_of(bind) if bind is not None else {}
        return Field(
            path=node.path,
            kind=self._kind(node, part, attributes),
            type=_type(attributes.get("type", "string")),
            control=part.control if part else None,
            label=part.label if part else {},
            hint=part.hint if part else {},
            repeat=repeat,
            required=_expression(attributes, "required"),
            required_message=self.itext.text(attributes.get(f"{_JAVAROSA}requiredMsg", "")),
            relevant=_expression(attributes, "relevant"),
            constraint=_expression(attributes, "constraint"),
            constraint_message=self.itext.text(attributes.get(f"{_JAVAROSA}constraintMsg", "")),
            calculate=_expression(attributes, "calculate"),
            set_value=self.set_by_action.get(node.path) or None,
            readonly=_expression(attributes, "readonly"),
            repeat_count=part.repeat_count if part else None,
            preload=_preload(attributes),
            default=node.default,
            itemset=part.itemset if part else None,
            person=_claim(attributes, "person", PERSON_PROPERTIES, node.path),
            encounter=_claim(attributes, "encounter", ENCOUNTER_PROPERTIES, node.path),
            save_to=attributes.get(f"{_ENTITIES}saveto"),
            entity=attributes.get(f"{_TERAL}entity"),
        )

    def _kind(self, node: _Node, part: Part | None, attributes: dict[str, str]) -> Kind:
        if part is not None:
            return part.kind
        if self._is_meta(node.path) or f"{_JAVAROSA}preload" in attributes:
            return "meta"
        if node.has_children:
            return "group" if self._holds_questions(node.path) else "structure"
        filled = "calculate" in attributes or node.path in self.set_by_action
        return "calculate" if filled else "structure"

    def _is_meta(self, path: str) -> bool:
        return "meta" in path.split("/")[2:]

    def _holds_questions(self, path: str) -> bool:
        return any(one.startswith(f"{path}/") for one in self.body.parts)


def read_bind_ids(model: etree._Element, root: str) -> dict[str, str]:
    """The paths of those binds that questions name by their id."""
    return {bind.get("id", ""): path for path, bind in _list_binds(model, root) if bind.get("id")}


def _list_binds(model: etree._Element, root: str) -> Iterator[tuple[str, etree._Element]]:
    # Nested binds are legal XForms 1.1; their paths are absolute in every form that JavaRosa reads.
    for bind in model.iter("{*}bind"):
        yield absolute_path(bind.get("nodeset") or bind.get("ref") or "", root), bind


def primary_instance(html: etree._Element) -> etree._Element:
    """The root of a form's own instance, which is its blank record."""
    model = next(html.iter("{*}model"))
    instance = child(model, "instance")
    root = next(iter(instance), None) if instance is not None else None
    if root is None:
        raise FormRefused("form_without_instance")
    return root


def form_id_of(root: etree._Element) -> str:
    """The form id of an instance or submission: its id attribute, else its namespace, as Collect reads it."""
    namespace = root.tag[1:].partition("}")[0] if root.tag.startswith("{") else ""
    return root.get("id") or (namespace if namespace != XFORMS_NAMESPACE else "")


def version_of(root: etree._Element) -> str:
    """The form version as text, "" without one; `uiVersion` is the spelling of old OpenRosa forms."""
    return root.get("version") or root.get("uiVersion") or ""


def _secondary_instances(model: etree._Element) -> tuple[SecondaryInstance, ...]:
    found = [one for one in model if local_name(one) == "instance"][1:]
    return tuple(_secondary_instance(one) for one in found)


def _secondary_instance(element: etree._Element) -> SecondaryInstance:
    source = element.get("src") or None
    holder = next(iter(element), None)
    if source or holder is None:
        return SecondaryInstance(element.get("id", ""), source)
    return SecondaryInstance(element.get("id", ""), None, tuple(map(_row, holder)), find_tree(holder))


def _row(item: etree._Element) -> dict[str, str]:
    return {local_name(one): text_of(one) for one in item}


def _type(written: str) -> str:
    name = written.strip().rpartition(":")[2]
    return _TYPES.get(name.lower(), name) or "string"


def _expression(attributes: dict[str, str], name: str) -> str | None:
    return attributes.get(name, "").strip() or None


def _preload(attributes: dict[str, str]) -> str | None:
    """`start`, `end`, `today`, `deviceid`…: the parameter says more than the preloader, where there is one."""
    preload = attributes.get(f"{_JAVAROSA}preload")
    return (attributes.get(f"{_JAVAROSA}preloadParams") or preload) if preload else None


def _attachment(address: str) -> Attachment | None:
    match = _JR_FILE.match(address)
    return Attachment(match.group(2).rpartition("/")[2], _ATTACHMENT_TYPES[match.group(1)]) if match else None


def _claim(attributes: dict[str, str], table: str, known: tuple[str, ...], path: str) -> str | None:
    claimed = attributes.get(f"{_TERAL}{table}")
    if claimed is not None and claimed not in known:
        raise FormRefused("registry_property", table=table, name=claimed, path=path, known=", ".join(known))
    return claimed


def _refuse_claims(fields: tuple[Field, ...]) -> None:
    """Two nodes of one container that claim the same property would overwrite each other in the registry."""
    taken: dict[tuple[str | None, str, str], str] = {}
    for one in fields:
        for table, claimed in (("person", one.person), ("encounter", one.encounter)):
            if claimed is None:
                continue
            other = taken.setdefault((one.repeat, table, claimed), one.path)
            if other != one.path:
                raise FormRefused("registry_property_twice", table=table, name=claimed, path=one.path, other=other)
