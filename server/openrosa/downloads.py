"""What a tablet fetches: form list, forms, manifests and files. The hashes in them are those of the bytes served."""

from collections.abc import Callable

from flask import Response, request

from server.openrosa.answers import answer_document, base_url
from server.openrosa.callers import Caller
from server.openrosa.catalogue import FileFacts, FormFacts, read_file, read_xml
from server.openrosa.contacts import note_contact
from server.openrosa.documents import render_draft_list, render_form_list, render_manifest
from server.openrosa.errors import NOT_FOUND, OpenRosaError
from sync.devices import Contact, Fetch

_BASE = "\0base\0"  # stands in cached documents where the caller's own address belongs


def form_list(caller: Caller) -> Response:
    base = base_url(caller.path)
    if caller.draft is not None:
        return answer_document(render_draft_list(caller.draft, base))
    form_id = request.args.get("formID")
    if form_id is not None:
        forms = [form for form in _list_forms(caller) if form.form_id == form_id]
        return answer_document(render_form_list(forms, base))
    return answer_document(_template(caller).replace(_BASE.encode(), base.encode()))


def form_xml(caller: Caller, number: int | None = None) -> Response:
    form = _find_form(caller, number)
    body = _keep(caller, form.id, lambda: read_xml(form))
    _note_fetch(caller, Fetch("form", form.form_id, form.version, "", form.md5))
    return answer_document(body, etag=form.md5)


def manifest(caller: Caller, number: int | None = None) -> Response:
    form = _find_form(caller, number)
    template = _keep(caller, f"manifest {form.id}", lambda: render_manifest(form, _BASE))
    base = base_url(caller.path) if number is None else f"{base_url(caller.path)}/forms/{form.id}"
    return answer_document(template.replace(_BASE.encode(), base.encode()))


def attachment(caller: Caller, name: str, number: int | None = None) -> Response:
    form = _find_form(caller, number)
    file = next((one for one in form.files if one.name == name), None)
    if file is None:
        raise OpenRosaError(404, NOT_FOUND)
    kind = "list" if file.type == "list" else "media"
    _note_fetch(caller, Fetch(kind, form.form_id, form.version, file.name, file.md5))
    return _answer_file(file)


def _answer_file(file: FileFacts) -> Response:
    if file.md5 in request.if_none_match:
        return answer_document(b"", etag=file.md5)
    content_type = "text/csv; charset=utf-8" if file.name.endswith(".csv") else "application/octet-stream"
    response = answer_document(read_file(file), content_type, file.md5)
    response.headers["Content-Disposition"] = "attachment"
    return response


def _list_forms(caller: Caller) -> list[FormFacts]:
    return caller.catalogue.list_open(caller.holder.site_kind) if caller.holder else []


def _template(caller: Caller) -> bytes:
    kind = caller.holder.site_kind if caller.holder else ""
    return _keep(caller, f"list {kind}", lambda: render_form_list(_list_forms(caller), _BASE))


def _find_form(caller: Caller, number: int | None) -> FormFacts:
    """The form, if this tablet may have it. A version that is no longer listed may still be half downloaded."""
    form = caller.draft if number is None else caller.catalogue.by_id.get(number)
    if form is None or (number is not None and not _may_fetch(caller, form)):
        raise OpenRosaError(404, NOT_FOUND)
    return form


def _may_fetch(caller: Caller, form: FormFacts) -> bool:
    listed = {one.form_id for one in _list_forms(caller)}
    return form.form_id in listed and form.state in ("open", "closing")


def _keep(caller: Caller, key: int | str, make: Callable[[], bytes]) -> bytes:
    kept = caller.catalogue.kept
    if key not in kept:
        kept[key] = make()
    return kept[key]


def _note_fetch(caller: Caller, fetch: Fetch) -> None:
    if caller.holder is not None:
        note_contact(Contact(caller.holder.device_id, caller.now, fetch.kind), fetch)
