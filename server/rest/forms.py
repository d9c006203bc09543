"""Published forms of `/v1`: list, one, its XML and workbook, versions, fields, files. Drafts are form_drafts.py."""

from datetime import UTC, datetime
from typing import Any

from flask import Response, abort
from flask.typing import ResponseReturnValue

from forms.tables import list_fields
from server.accounts.permissions import permission
from server.accounts.sessions import current_viewer
from server.extensions import attachment_store, db
from server.rest.extended import FORM as FORM_MORE
from server.rest.extended import FORM_VERSION, FORMS
from server.rest.problems import Problem
from server.rest.queries import FieldsQuery
from server.rest.shapes import WORKBOOKS, Done, FieldShape, FormChange, FormFileShape, FormShape
from server.rest.speech import ANY, JSON, NONE, XML, answers, asks, blueprint, takes, writes
from server.web.headers import as_download
from sync.models import FormAttachment, FormVersion
from sync.publishing import (
    change_form_state,
    delete_form,
    find_draft,
    find_form_version,
    find_newest,
    get_definition,
    list_versions,
)
from sync.server_lists import SERVER_LISTS

FORM = "/projects/1/forms/<segment:form_id>"
VERSION = f"{FORM}/versions/<segment:version>"
_STATES = ("open", "closing", "closed")


@blueprint.get("/projects/1/forms")
@permission("forms.read")
@answers(FormShape, many=True, more=FORMS)
def forms() -> Any:
    """Of each form the newest published version, else its draft."""
    shown: dict[int, FormVersion] = {}
    for one in list_versions(db.session()):
        if one.form_pk not in shown or shown[one.form_pk].state == "draft":
            shown[one.form_pk] = one
    return list(shown.values())


@blueprint.get(FORM)
@permission("forms.read")
@answers(FormShape, more=FORM_MORE)
def form(form_id: str) -> Any:
    return get_version(form_id)


@blueprint.patch(FORM)
@permission("forms.publish")
@answers(FormShape)
@takes(FormChange)
def change_form(form_id: str, body: dict[str, Any]) -> Any:
    version = find_newest(db.session(), form_id) or abort(404)
    state = body.get("state", version.state)
    if state not in _STATES:
        raise Problem(400.8, field="state", value=state, reason=", ".join(_STATES))
    return change_form_state(db.session(), form_id, version.version, state, datetime.now(UTC))


@blueprint.delete(FORM)
@permission("forms.publish")
@answers(Done)
def remove_form(form_id: str) -> Any:
    """A form of which records were received stays, closed or not: they could not be read without it."""
    delete_form(db.session(), form_id, current_viewer().actor_id, datetime.now(UTC))
    return {}


@blueprint.get(f"{FORM}/public-links")
@permission("forms.read")
@writes(JSON, form=NONE)
def public_links(form_id: str) -> ResponseReturnValue:
    """Nobody answers a form without an account or a tablet."""
    get_version(form_id)
    return []


@blueprint.get(f"{FORM}/versions")
@permission("forms.read")
@answers(FormShape, many=True, more=FORM_VERSION)
def form_versions(form_id: str) -> Any:
    form = get_version(form_id).form
    published = [one for one in form.versions if one.state != "draft"]
    return sorted(published, key=lambda one: (one.published_at, one.id), reverse=True)


@blueprint.get(VERSION)
@permission("forms.read")
@answers(FormShape, more=FORM_MORE)
def form_version(form_id: str, version: str) -> Any:
    return get_version(form_id, version)


@blueprint.get(f"{FORM}.xml")
@blueprint.get(f"{VERSION}.xml")
@permission("forms.read")
@writes(XML[0])
def form_xml(form_id: str, version: str | None = None) -> ResponseReturnValue:
    return Response(get_version(form_id, version).xml, mimetype="application/xml")


@blueprint.get(f"{FORM}.<any(xlsx,xls):kind>")
@blueprint.get(f"{VERSION}.<any(xlsx,xls):kind>")
@permission("forms.read")
@writes(*WORKBOOKS.values())
def form_workbook(form_id: str, kind: str, version: str | None = None) -> ResponseReturnValue:
    return answer_workbook(get_version(form_id, version), kind)


@blueprint.get(f"{FORM}/fields")
@blueprint.get(f"{VERSION}/fields")
@permission("forms.read")
@answers(FieldShape, many=True)
@asks(FieldsQuery)
def form_fields(form_id: str, asked: dict[str, Any], version: str | None = None) -> Any:
    return list_fields(get_definition(db.session(), get_version(form_id, version)), odata=asked["odata"])


@blueprint.get(f"{FORM}/attachments")
@blueprint.get(f"{VERSION}/attachments")
@permission("forms.read")
@answers(FormFileShape, many=True)
def form_files(form_id: str, version: str | None = None) -> Any:
    return get_version(form_id, version).attachments


@blueprint.get(f"{FORM}/attachments/<segment:name>")
@blueprint.get(f"{VERSION}/attachments/<segment:name>")
@permission("forms.read")
@writes(ANY)
def form_file(form_id: str, name: str, version: str | None = None) -> ResponseReturnValue:
    return answer_form_file(get_version(form_id, version), name)


def get_version(form_id: str, version: str | None = None) -> FormVersion:
    """The form as it stands (the newest published version, else the draft), or the version of that name."""
    session = db.session()
    if version is not None:
        return find_form_version(session, form_id, "" if version == "___" else version) or abort(404)
    return find_newest(session, form_id) or find_draft(session, form_id) or abort(404)


def answer_workbook(version: FormVersion, kind: str) -> ResponseReturnValue:
    """The XLSForm that a version was made from, if it was one of this kind."""
    if version.source is None or not (version.source_name or "").lower().endswith(f".{kind}"):
        abort(404)
    return Response(version.source, mimetype=WORKBOOKS[kind], headers=as_download(f"{version.form.form_id}.{kind}"))


def answer_form_file(version: FormVersion, name: str) -> ResponseReturnValue:
    """A file of a form; of the lists that the server makes only those that are the same for everybody."""
    named = next((one for one in version.attachments if one.name == name), None)
    body = _read_file(named) if named is not None else None
    if body is None:
        raise Problem(404.1)
    kind = "text/csv" if name.endswith(".csv") else "application/octet-stream"
    return Response(body, mimetype=kind, headers=as_download(name))


def _read_file(named: FormAttachment) -> bytes | None:
    if named.blob_sha256 is not None:
        return attachment_store().read(named.blob_sha256)
    made = SERVER_LISTS.get(named.name) if named.server_made else None
    return made(db.session()) if made is not None else None
