"""What a tablet fetches: form list, forms, manifests and files. The hashes in them are those of the bytes served."""

from collections.abc import Callable
from functools import partial

from werkzeug import Response

from server.openrosa.answers import answer_document
from server.openrosa.catalogue import FileFacts, FormFacts
from server.openrosa.documents import render_draft_list, render_form_list, render_integrity, render_manifest
from server.openrosa.entities import fill_entity_list, fill_entity_lists, read_gone
from server.openrosa.errors import NOT_FOUND, OpenRosaError
from server.openrosa.room import Visit
from sync.devices import Fetch

_BASE = "\0base\0"  # stands in cached documents where the caller's own address belongs


def form_list(visit: Visit) -> Response:
    base = visit.base_url
    if visit.caller.draft is not None:
        return answer_document(visit.request, render_draft_list(visit.caller.draft, base))
    form_id = visit.request.args.get("formID")
    if form_id is not None:
        forms = [form for form in _list_forms(visit) if form.form_id == form_id]
        return answer_document(visit.request, render_form_list(forms, base))
    return answer_document(visit.request, _template(visit).replace(_BASE.encode(), base.encode()))


def form_xml(visit: Visit, number: int | None = None) -> Response:
    form = _find_form(visit, number)
    body = _keep(visit, form.id, lambda: visit.caller.catalogue.read_xml(form))
    visit.note("form", Fetch("form", form.form_id, form.version, "", form.md5))
    return answer_document(visit.request, body, etag=form.md5)


def manifest(visit: Visit, number: int | None = None) -> Response:
    form = _find_form(visit, number)
    filled = fill_entity_lists(visit, form)
    make = partial(render_manifest, filled, _BASE)
    # Entity lists differ from tablet to tablet and from minute to minute: only other manifests can be kept.
    template = _keep(visit, f"manifest {form.id}", make) if filled is form else make()
    base = visit.base_url if number is None else f"{visit.base_url}/forms/{form.id}"
    return answer_document(visit.request, template.replace(_BASE.encode(), base.encode()))


def attachment(visit: Visit, name: str, number: int | None = None) -> Response:
    form = _find_form(visit, number)
    file = next((one for one in form.files if one.name == name), None)
    if file is None:
        raise OpenRosaError(404, NOT_FOUND)
    if file.entity_list is not None:
        file = fill_entity_list(visit, file)
    kind = "list" if file.type == "list" else "media"
    visit.note(kind, Fetch(kind, form.form_id, form.version, file.name, file.md5))
    return _answer_file(visit, file)


def integrity(visit: Visit, name: str, number: int | None = None) -> Response:
    form = _find_form(visit, number)
    if all(file.entity_list != name for file in form.files):
        raise OpenRosaError(404, NOT_FOUND)
    return answer_document(visit.request, render_integrity(read_gone(visit, name)))


def _answer_file(visit: Visit, file: FileFacts) -> Response:
    if visit.request.if_none_match.contains_weak(file.md5):
        return answer_document(visit.request, b"", etag=file.md5)
    content_type = "text/csv; charset=utf-8" if file.name.endswith(".csv") else "application/octet-stream"
    response = answer_document(visit.request, _read_file(visit, file), content_type, file.md5)
    response.headers["Content-Disposition"] = "attachment"
    return response


def _list_forms(visit: Visit) -> list[FormFacts]:
    return visit.caller.catalogue.list_open(visit.caller.holder.site_kind) if visit.caller.holder else []


def _template(visit: Visit) -> bytes:
    kind = visit.caller.holder.site_kind if visit.caller.holder else ""
    return _keep(visit, f"list {kind}", lambda: render_form_list(_list_forms(visit), _BASE))


def _find_form(visit: Visit, number: int | None) -> FormFacts:
    """The form, if this tablet may have it. A version that is no longer listed may still be half downloaded."""
    form = visit.caller.draft if number is None else visit.caller.catalogue.by_id.get(number)
    if form is None or (number is not None and not _may_fetch(visit, form)):
        raise OpenRosaError(404, NOT_FOUND)
    return form


def _may_fetch(visit: Visit, form: FormFacts) -> bool:
    listed = {one.form_id for one in _list_forms(visit)}
    return form.form_id in listed and form.state in ("open", "closing")


def _keep(visit: Visit, key: int | str, make: Callable[[], bytes]) -> bytes:
    kept = visit.caller.catalogue.kept
    if key not in kept:
        kept[key] = make()
    return kept[key]


def _read_file(visit: Visit, file: FileFacts) -> bytes:
    return file.body if file.body is not None else visit.room.store.read(file.sha256)
