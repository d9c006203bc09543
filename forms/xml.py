"""The one hardened XML reader: everything that reads XML from outside goes through `parse_xml`.

No DTD, no entities, no network, and caps on size, depth, elements and attributes. What the XML means is read elsewhere.
"""

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass

from lxml import etree

from forms.errors import FormsError

_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """How much XML we are willing to hold in memory."""

    size: int = 10 * _MB
    depth: int = 100
    elements: int = 250_000
    attributes: int = 100


DEFAULT_LIMITS = Limits()
# Translated forms with long inline lists reach some MB; lists beside a form reach more rows than any submission.
FORM_LIMITS = Limits(size=32 * _MB, elements=1_000_000)


class XmlRefused(FormsError):
    """The bytes are not XML, or not XML that we are willing to read."""


# Every one of them contains ASCII, so that the search for a DOCTYPE sees each byte as the parser will see it.
_ASCII_LIKE = {"utf-8": "utf-8", "ascii": "utf-8", "iso8859-1": "iso-8859-1", "cp1252": "windows-1252"}
_DECLARATION = re.compile(rb"<\?xml\s[^>]*?\?>")
_DECLARED_ENCODING = re.compile(rb"""\sencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]{0,40})["']""")
# Only comments and processing instructions may stand before a DOCTYPE; atomic, so that no input makes it slow.
_PROLOG_DOCTYPE = re.compile(rb"(?>(?:\s+|<!--(?s:.*?)-->|<\?(?s:.*?)\?>)*)<!DOCTYPE", re.IGNORECASE)


def parse_xml(data: bytes, limits: Limits = DEFAULT_LIMITS) -> etree._Element:
    """Return the root element of well-formed, harmless XML of bearable size; raise XmlRefused for all else."""
    if len(data) > limits.size:
        raise XmlRefused("xml_too_large", limit_mb=limits.size // _MB)
    text, encoding = _plain_bytes(data)
    _refuse_early(text, limits)
    root = _parse(text, encoding)
    _refuse_shape(root, text, limits)
    return root


def local_name(element: etree._Element) -> str:
    """The element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def without_namespace(name: str) -> str:
    """`{namespace}name` → `name`."""
    return name.rpartition("}")[2]


def child(element: etree._Element, name: str) -> etree._Element | None:
    """The first child of that local name, in any namespace: clients differ on where `meta` lives."""
    return next(element.iterchildren(f"{{*}}{name}"), None)


def descend(element: etree._Element, names: Iterable[str]) -> etree._Element | None:
    """The element that these steps lead to, the first of its name at each step."""
    found: etree._Element | None = element
    for name in names:
        found = child(found, name) if found is not None else None
    return found


def attributes_of(element: etree._Element) -> dict[str, str]:
    """The attributes by full name, as text."""
    return {str(name): str(value) for name, value in element.attrib.items()}


def text_of(element: etree._Element | None) -> str:
    """The element's own text, trimmed, or "" without one."""
    return (element.text or "").strip() if element is not None else ""


def _plain_bytes(data: bytes) -> tuple[bytes, str]:
    """Bytes without BOM in an encoding that contains ASCII, and its name."""
    for bom, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if data.startswith(bom):
            return _recoded(data[len(bom) :], encoding), "utf-8"
    for start, encoding in ((b"<\0", "utf-16-le"), (b"\0<", "utf-16-be")):
        if data.startswith(start):
            return _recoded(data, encoding), "utf-8"
    data = data.lstrip()
    if not data.startswith(b"<"):
        # EBCDIC, UTF-32 and things that are not XML at all.
        raise XmlRefused("not_xml")
    return data, _declared_encoding(data)


def _recoded(data: bytes, encoding: str) -> bytes:
    if encoding == "utf-8":
        return data.lstrip()
    try:
        return data.decode(encoding).lstrip().encode("utf-8")
    except UnicodeError:
        raise XmlRefused("xml_encoding") from None


def _declared_encoding(data: bytes) -> str:
    declaration = _DECLARATION.match(data)
    declared = _DECLARED_ENCODING.search(declaration.group()) if declaration else None
    if declared is None:
        return "utf-8"
    try:
        return _ASCII_LIKE[codecs.lookup(declared.group(1).decode("ascii")).name]
    except LookupError:
        raise XmlRefused("xml_encoding") from None


def _refuse_early(text: bytes, limits: Limits) -> None:
    """What can be told from the bytes alone, before a tree costs memory."""
    # Every element has a start tag and at most one end tag; every attribute has its equals sign.
    if text.count(b"<") > 2 * limits.elements or text.count(b"=") > 2 * limits.elements:
        raise XmlRefused("xml_too_many_elements", limit=limits.elements)
    if _PROLOG_DOCTYPE.match(text):
        raise XmlRefused("xml_doctype")


def _parse(text: bytes, encoding: str) -> etree._Element:
    # A parser of its own for each call: lxml locks a shared one, and its error log would keep text of the last input.
    parser = etree.XMLParser(
        encoding=encoding,
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(text, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        # libxml2 itself stops at 256 levels.
        code = "xml_too_deep" if "depth" in str(error).lower() else "not_xml"
        raise XmlRefused(code, limit=256) from None


def _refuse_shape(root: etree._Element, text: bytes, limits: Limits) -> None:
    # An ordinary submission has too few tags to break either cap; for the rest, XPath counts inside libxml2.
    # So deep a nest has a start tag and an end tag at each level but the last.
    if text.count(b"<") > 2 * limits.depth and root.xpath(f"boolean({'/*' * (limits.depth + 1)})"):
        raise XmlRefused("xml_too_deep", limit=limits.depth)
    if text.count(b"=") > limits.attributes and root.xpath(f"boolean(//*[count(@*) > {limits.attributes}])"):
        raise XmlRefused("xml_too_many_attributes", limit=limits.attributes)
