"""Submission XML → Submission values: whose form, which record, which files, and the answers in a flat list.

Whether the answers are right is validation.py's question; what they say about people is read in records.py.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

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
    """What an encrypted submission shows to those who hold no key (ODK XForms encryption spec)."""

    encrypted_key: str
    signature: str
    xml_file: str
    media: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """Every file that must arrive before the record can be opened."""
        return (*self.media, self.xml_file) if self.xml_file else self.media


@dataclass(frozen=True, slots=True)
class Answer:
    """One leaf of a submission. `path` has an index at each repeat; `field` is None for a node unknown to the form."""

    path: str
    field: Field | None
    text: str


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
    return Submission(
        form_id=form_id,
        version=version_of(root),
        # Briefcase and Aggregate write the id on the root element.
        instance_id=_meta_text(meta, "instanceID") or (root.get("instanceID") or "").strip() or None,
        deprecated_id=_meta_text(meta, "deprecatedID"),
        instance_name=_meta_text(meta, "instanceName"),
        root=root,
        envelope=_envelope(root),
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
        root = f"/{definition.root}"
        submission._held[:] = [(definition, list(_walk(submission.root, root, root, definition)))]
    return submission._held[0][1]


def list_elements(submission: Submission, definition: FormDefinition, path: str) -> list[tuple[str, etree._Element]]:
    """Every element at a path of the form, each with its path with indexes."""
    root = f"/{definition.root}"
    found = [(root, submission.root)]
    plain = root
    for name in path.removeprefix(root).strip("/").split("/"):
        if name:
            found = [
                (place, one)
                for indexed, element in found
                for one, _, place in _placed(element, plain, indexed, definition)
                if local_name(one) == name
            ]
            plain = f"{plain}/{name}"
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


def _envelope(root: etree._Element) -> Envelope | None:
    if root.get("encrypted") != "yes" and not root.tag.startswith(f"{{{ENCRYPTED_NAMESPACE}}}"):
        return None
    media = [text_of(child(one, "file")) for one in root if local_name(one) == "media"]
    return Envelope(
        encrypted_key=text_of(child(root, "base64EncryptedKey")),
        signature=text_of(child(root, "base64EncryptedElementSignature")),
        xml_file=text_of(child(root, "encryptedXmlFile")),
        media=tuple(name for name in media if name),
    )


def _walk(element: etree._Element, plain: str, indexed: str, definition: FormDefinition) -> Iterator[Answer]:
    for one, path, place in _placed(element, plain, indexed, definition):
        field = definition.by_path.get(path)
        yield from _attribute_answers(one, path, place, definition)
        if len(one):
            yield from _walk(one, path, place, definition)
        elif field is None or field.kind not in {"group", "repeat"}:
            yield Answer(place, field, text_of(one))


def _placed(
    element: etree._Element, plain: str, indexed: str, definition: FormDefinition
) -> Iterator[tuple[etree._Element, str, str]]:
    """The children with their plain path and their path with indexes: on repeats, and on any other twin."""
    names = [local_name(one) for one in element]
    several = {name for name, times in Counter(names).items() if times > 1} if len(set(names)) < len(names) else set()
    seen: Counter[str] = Counter()
    for one, name in zip(element, names, strict=True):
        if TEMPLATE in one.attrib:
            continue
        seen[name] += 1
        field = definition.by_path.get(f"{plain}/{name}")
        counted = name in several or (field is not None and field.kind == "repeat")
        yield one, f"{plain}/{name}", f"{indexed}/{name}[{seen[name]}]" if counted else f"{indexed}/{name}"


def _attribute_answers(
    element: etree._Element, plain: str, indexed: str, definition: FormDefinition
) -> Iterator[Answer]:
    for name, value in attributes_of(element).items():
        known = definition.by_path.get(f"{plain}/@{without_namespace(name)}")
        if known is not None:
            yield Answer(f"{indexed}/{known.name}", known, value)
