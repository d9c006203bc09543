"""Form lists and manifests, read as strictly as Collect reads them: one incomplete entry voids the whole."""

from dataclasses import dataclass

from lxml import etree

from forms.errors import FormsError
from forms.xml import child, local_name, parse_xml, text_of
from server.tablets.client import Answer

_LIST = "http://openrosa.org/xforms/xformslist"
_MANIFEST = "http://openrosa.org/xforms/xformsmanifest"


class NotOpenRosa(Exception):
    """An answer that Collect does not take for a form list or manifest."""


@dataclass(frozen=True, slots=True)
class ListedForm:
    form_id: str
    version: str
    hash: str
    download_url: str
    manifest_url: str | None


@dataclass(frozen=True, slots=True)
class ListedFile:
    name: str
    hash: str
    download_url: str
    type: str | None
    integrity_url: str | None = None

    @property
    def entity_list(self) -> str | None:
        """The list that an entity list's file stands for; None for any other file."""
        return self.name.partition(".csv")[0] if self.type is not None else None


def read_form_list(answer: Answer) -> list[ListedForm]:
    """The forms on offer; raises NotOpenRosa."""
    return [_form(one) for one in _entries(answer, "xforms", _LIST, "xform")]


def read_manifest(answer: Answer) -> list[ListedFile]:
    """The files of one form; raises NotOpenRosa."""
    return [_file(one) for one in _entries(answer, "manifest", _MANIFEST, "mediaFile")]


def read_integrity(answer: Answer) -> dict[str, bool]:
    """Which of the entities that the tablet asked about are deleted; raises NotOpenRosa."""
    root = _parse(answer)
    entities = child(root, "entities")
    # Collect stumbles over a space between two entries, and over any other spelling of true and false.
    if local_name(root) != "data" or entities is None or entities.text or any(one.tail for one in entities):
        raise NotOpenRosa("root element")
    return {one.get("id", ""): _read_strictly(text_of(child(one, "deleted"))) for one in entities}


def _read_strictly(text: str) -> bool:
    if text not in ("true", "false"):
        raise NotOpenRosa("neither true nor false")
    return text == "true"


def _entries(answer: Answer, root_name: str, namespace: str, entry: str) -> list[etree._Element]:
    root = _parse(answer)
    if local_name(root) != root_name or (etree.QName(root).namespace or "").lower() != namespace:
        raise NotOpenRosa("root element")
    return [one for one in root if local_name(one) == entry]


def _parse(answer: Answer) -> etree._Element:
    if answer.status != 200 or "X-OpenRosa-Version" not in answer.headers:
        raise NotOpenRosa(f"status {answer.status}")
    if "text/xml" not in answer.headers.get("Content-Type", "text/xml").lower():
        raise NotOpenRosa("content type")
    try:
        return parse_xml(answer.body)
    except FormsError as error:
        raise NotOpenRosa("XML") from error


def _form(entry: etree._Element) -> ListedForm:
    values = _values(entry, "formID", "name", "downloadUrl")
    form_hash = values.get("hash", "")
    if not form_hash.startswith("md5:"):
        raise NotOpenRosa("a form without a hash")
    return ListedForm(
        values["formID"], values.get("version", ""), form_hash.removeprefix("md5:"), values["downloadUrl"],
        values.get("manifestUrl") or None,
    )  # fmt: skip


def _file(entry: etree._Element) -> ListedFile:
    values = _values(entry, "filename", "hash", "downloadUrl")
    # Collect keeps the base name alone, and cuts the hash's prefix blindly.
    name = values["filename"].rpartition("/")[2]
    integrity_url = values.get("integrityUrl") or None
    return ListedFile(name, values["hash"][4:], values["downloadUrl"], entry.get("type"), integrity_url)


def _values(entry: etree._Element, *needed: str) -> dict[str, str]:
    values = {local_name(one): text_of(one) for one in entry}
    if not all(values.get(name) for name in needed):
        raise NotOpenRosa("an incomplete entry")
    return values
