"""The XML of a submission as it came, but for what the reader may not see: those texts are blanked."""

from collections.abc import Iterator

from lxml import etree

from forms.definition import FormDefinition
from forms.xml import local_name, parse_xml
from sync.policy import Viewer, programme, reads_plainly

BLANK = "•••"


def withhold(xml: bytes, definition: FormDefinition, viewer: Viewer) -> bytes:
    """The very bytes when nothing must be withheld."""
    root = parse_xml(xml)
    withheld = False
    for path, element in _walk(root, f"/{definition.root}"):
        if reads_plainly(viewer, {programme().data_class(definition.form_id, path)}):
            continue
        withheld = True
        element.text = BLANK
    return etree.tostring(root, encoding="utf-8", xml_declaration=True) if withheld else xml


def _walk(element: etree._Element, path: str) -> Iterator[tuple[str, etree._Element]]:
    """Every leaf that holds something, with its path in the form."""
    for one in element:
        place = f"{path}/{local_name(one)}"
        if len(one):
            yield from _walk(one, place)
        elif one.text:
            yield place, one
