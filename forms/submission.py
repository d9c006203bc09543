"""Submission XML → Submission values: whose form, which record, which files, and the answers in a flat list.

Whether the answers are right is validation.py's question; what they say about people is read in records.py.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

from lxml import etree

from forms.definition import Field, FormDefinition
from forms.errors import FormsError
from forms.xform import form_id_of, version_of
from forms.xml import attributes_of, child, local_name, parse_xml, text_of, without_namespace

ENCRYPTED_NAMESPACE = "http://www.opendatakit.org/xforms/encrypted"
# A repeat's template is the form's, not an answer; some clients send it along.
TEMPLATE = "{http://openrosa.org/javarosa}template"


class SubmissionRefused(FormsError):
    """XML that cannot be kept as a submission of any form."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What an encrypted submission shows to those who hold no key (ODK XForms encryption spec), "" where it is silent.

    `media` is in the order of encryption, which the initialization vectors depend on.
    """

    form_id: str
    version: str | None
    instance_id: str
    encrypted_key: str
    signature: str
    xml_file: str
    media: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """Every file that must arrive before the record can be opened, the record itself last."""
        return (*self.media, self.xml_file) if self.xml_file else self.media


@dataclass(frozen=True, slots=True)
class Answer:
    """One leaf of a submission. `path` has an index at each repeat; `field` is None for a node unknown to the form."""

    path: str
    field: Field | None
    text: str


@dataclass(slots=True)
class Place:
    """What a form has at one path, and below it."""

    below: dict[str, "Place"] = field(default_factory=dict)
    attributes: dict[str, Field] = field(default_factory=dict)
    repeats: bool = False
    field: Field | None = None


DERIVED = "places"
# Where the form has nothing.
NOWHERE = Place()


@dataclass(frozen=True, slots=True)
class Submission:
    """One submission as sent. `instance_id` is None if the client gave none; texts are trimmed, "" means blank."""

    form_id: str
    version: str
    instance_id: str | None
    deprecated_id: str | None
    instance_name: str | None
    root: etree._Element
    envelope: Envelope | None = None
    # The form that the record was last held against, with the answers: half a dozen readers ask for the same walk.
    _held: list[tuple[FormDefinition, list[Answer]]] = field(default_factory=list, compare=False, repr=False)


def parse_submission(data: bytes) -> Submission:
    """Read what a client sent; raise XmlRefused or SubmissionRefused only where no form could be named."""
    root = parse_xml(data)
    form_id = form_id_of(root)
    if not form_id:
        raise SubmissionRefused("submission_without_form_id")
    meta = child(root, "meta")
    # Briefcase and Aggregate write the id on the root element.
    instance_id = _meta_text(meta, "instanceID") or (root.get("instanceID") or "").strip() or None
    return Submission(
        form_id=form_id,
        version=version_of(root),
        instance_id=instance_id,
        deprecated_id=_meta_text(meta, "deprecatedID"),
        instance_name=_meta_text(meta, "instanceName"),
        root=root,
        envelope=_envelope(root, instance_id),
    )


def attachment_names(submission: Submission, definition: FormDefinition | None) -> list[str]:
    """The files that the answers name, each once; for an encrypted record, those that its envelope names.

    Without a definition nobody knows which answers are files, and the list is empty.
    """
    if submission.envelope is not None:
        return list(dict.fromkeys(submission.envelope.files))
    if definition is None:
        return []
    named = (text_of(one) for one in _file_nodes(submission.root, definition))
    return list(dict.fromkeys(name for name in named if name))


def list_answers(submission: Submission, definition: FormDefinition) -> list[Answer]:
    """Every leaf in document order, held against the form; empty groups and repeat templates are no answers."""
    if not submission._held or submission._held[0][0] is not definition:
        answers: list[Answer] = []
        _walk(submission.root, _places(definition), f"/{definition.root}", answers)
        submission._held[:] = [(definition, answers)]
    return submission._held[0][1]


def list_elements(submission: Submission, definition: FormDefinition, path: str) -> list[tuple[str, etree._Element]]:
    """Every element at a path of the form, each with its path with indexes."""
    root = f"/{definition.root}"
    found = [(root, submission.root)]
    place = _places(definition)
    for name in path.removeprefix(root).strip("/").split("/"):
        if name:
            found = [
                (where, one)
                for indexed, element in found
                for one, _, where in _placed(element, place, indexed)
                if local_name(one) == name
            ]
            place = place.below.get(name, NOWHERE)
    return found


def _meta_text(meta: etree._Element | None, name: str) -> str | None:
    return (text_of(child(meta, name)) or None) if meta is not None else None


def _file_nodes(root: etree._Element, definition: FormDefinition) -> Iterator[etree._Element]:
    """The nodes of file questions. lxml looks for their names, since this runs while a tablet waits for its answer."""
    paths = {one.path for one in definition.fields if _is_file(one)}
    names = {path.rpartition("/")[2] for path in paths}
    if not names:
        return
    for node in root.iter(*(f"{{*}}{name}" for name in names)):
        above = [node, *node.iterancestors()][-2::-1]
        path = "/".join((f"/{definition.root}", *map(local_name, above)))
        if path in paths and not any(TEMPLATE in one.attrib for one in above):
            yield node


def _is_file(field: Field) -> bool:
    # The audit log is a file without a control.
    return field.control == "upload" or field.type == "binary"


def _envelope(root: etree._Element, instance_id: str | None) -> Envelope | None:
    if root.get("encrypted") != "yes" and not root.tag.startswith(f"{{{ENCRYPTED_NAMESPACE}}}"):
        return None
    media = [text_of(file) for one in root if local_name(one) == "media" for file in one if local_name(file) == "file"]
    return Envelope(
        form_id=root.get("id") or "",
        version=root.get("version"),
        instance_id=instance_id or "",
        encrypted_key=text_of(child(root, "base64EncryptedKey")),
        signature=text_of(child(root, "base64EncryptedElementSignature")),
        xml_file=text_of(child(root, "encryptedXmlFile")),
        media=tuple(name for name in media if name),
    )


def _walk(element: etree._Element, place: Place, indexed: str, found: list[Answer]) -> None:
    for one, here, path in _placed(element, place, indexed):
        if here.attributes:
            found += _attribute_answers(one, here, path)
        if len(one):
            _walk(one, here, path, found)
        elif here.field is None or here.field.kind not in {"group", "repeat"}:
            found.append(Answer(path, here.field, text_of(one)))


def _placed(element: etree._Element, place: Place, indexed: str) -> Iterator[tuple[etree._Element, Place, str]]:
    """The children with their place and their path with indexes: on repeats, and on any other twin."""
    names = [local_name(one) for one in element]
    several = {name for name, times in Counter(names).items() if times > 1} if len(set(names)) < len(names) else ()
    seen: Counter[str] = Counter()
    below = place.below
    for one, name in zip(element, names, strict=True):
        if one.get(TEMPLATE) is not None:
            continue
        here = below.get(name, NOWHERE)
        if here.repeats or name in several:
            seen[name] += 1
            yield one, here, f"{indexed}/{name}[{seen[name]}]"
        else:
            yield one, here, f"{indexed}/{name}"


def _attribute_answers(element: etree._Element, place: Place, indexed: str) -> Iterator[Answer]:
    for name, value in attributes_of(element).items():
        known = place.attributes.get(without_namespace(name))
        if known is not None:
            yield Answer(f"{indexed}/{known.name}", known, value)


def _places(definition: FormDefinition) -> Place:
    """The root's place, made once for a form version."""
    if DERIVED not in definition.derived:
        root = definition.derived[DERIVED] = Place()
        for one in definition.fields:
            _put(root, one, one.path.split("/")[2:])
    return cast(Place, definition.derived[DERIVED])


def _put(root: Place, field: Field, steps: list[str]) -> None:
    place = root
    for step in steps:
        if step.startswith("@"):
            place.attributes[step[1:]] = field
            return
        place = place.below.setdefault(step, Place())
    place.field, place.repeats = field, field.kind == "repeat"
