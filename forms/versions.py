"""A form's XML under another version name: what a client may ask for when it publishes a draft."""

from lxml import etree

from forms.errors import FormRefused
from forms.xml import FORM_LIMITS, child, parse_xml


def rename_version(xml: bytes, version: str) -> bytes:
    """Return the form with another version on its primary instance; raise FormRefused for no form or no name."""
    html = parse_xml(xml, FORM_LIMITS)
    model = next(html.iter("{*}model"), None)
    instance = child(model, "instance") if model is not None else None
    root = next(iter(instance), None) if instance is not None else None
    if root is None:
        raise FormRefused("form_without_instance")
    try:
        root.set("version", version)
    except ValueError as error:
        raise FormRefused("form_version_unwritable") from error
    return etree.tostring(html, encoding="utf-8", xml_declaration=True)
