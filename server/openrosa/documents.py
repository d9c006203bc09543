"""The XML that Collect reads: OpenRosaResponse, form list and manifest. What is in them is decided elsewhere."""

from collections.abc import Iterable, Mapping
from urllib.parse import quote
from xml.sax.saxutils import escape

from server.openrosa.catalogue import FileFacts, FormFacts

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_LIST = "http://openrosa.org/xforms/xformsList"
_MANIFEST = "http://openrosa.org/xforms/xformsManifest"
_ENTITY_LIST = ' type="entityList"'
_RESPONSE = "http://openrosa.org/http/response"


def render_response(message: str, nature: str = "") -> bytes:
    return (
        f'{_HEAD}<OpenRosaResponse xmlns="{_RESPONSE}" items="0">'
        f'<message nature="{nature}">{escape(message)}</message></OpenRosaResponse>'
    ).encode()


def render_form_list(forms: Iterable[FormFacts], base: str) -> bytes:
    """One incomplete entry would make Collect refuse the whole list, so every entry has all that it asks for."""
    entries = "".join(_form(form, f"{base}/forms/{form.id}") for form in forms)
    return f'{_HEAD}<xforms xmlns="{_LIST}">{entries}</xforms>'.encode()


def render_draft_list(form: FormFacts, base: str) -> bytes:
    return f'{_HEAD}<xforms xmlns="{_LIST}">{_form(form, base)}</xforms>'.encode()


def _form(form: FormFacts, base: str) -> str:
    manifest = f"<manifestUrl>{escape(base)}/manifest</manifestUrl>" if form.files else ""
    return (
        f"<xform><formID>{escape(form.form_id)}</formID><name>{escape(form.title)}</name>"
        f"<version>{escape(form.version)}</version><hash>md5:{form.md5}</hash>"
        f"<downloadUrl>{escape(base)}/form.xml</downloadUrl>{manifest}</xform>"
    )


def render_manifest(form: FormFacts, base: str) -> bytes:
    """Files without content are left out: one entry without a hash would void the manifest."""
    entries = "".join(
        f"<mediaFile{_ENTITY_LIST if file.entity_list else ''}><filename>{escape(file.name)}</filename>"
        f"<hash>md5:{file.md5}</hash>"
        f"<downloadUrl>{escape(base)}/attachments/{quote(file.name, safe='')}</downloadUrl>"
        f"{_integrity_url(file, base)}</mediaFile>"
        for file in form.files
    )
    return f'{_HEAD}<manifest xmlns="{_MANIFEST}">{entries}</manifest>'.encode()


def _integrity_url(file: FileFacts, base: str) -> str:
    if file.entity_list is None:
        return ""
    return f"<integrityUrl>{escape(base)}/entities/{quote(file.entity_list, safe='')}/integrity</integrityUrl>"


def render_integrity(gone: Mapping[str, bool]) -> bytes:
    """Collect drops what is deleted; it understands `true` and `false` only."""
    entries = "".join(
        f'<entity id="{escape(uuid)}"><deleted>{str(deleted).lower()}</deleted></entity>'
        for uuid, deleted in gone.items()
    )
    return f"{_HEAD}<data><entities>{entries}</entities></data>".encode()
