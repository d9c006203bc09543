"""Forms on their way in: created from XML or a workbook, drafts with their files, publishing."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from flask import Response, abort, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from forms.errors import FormRefused, FormsError
from forms.tables import list_fields
from server.accounts.permissions import permission, reads_first
from server.accounts.sessions import current_viewer, open_writer
from server.extensions import attachment_store, db
from server.publishing import PreparedForm, draft_prepared, prepare_form, publish_prepared
from server.rest.extended import DRAFT as DRAFT_MORE
from server.rest.forms import FORM, answer_form_file, answer_workbook
from server.rest.problems import Problem, refuse_form, word_warnings
from server.rest.queries import FieldsQuery, Flag, Text
from server.rest.shapes import WORKBOOKS, Done, DraftShape, FieldShape, FormFileShape, Shape
from server.rest.speech import ANY, XML, answers, asks, blueprint, body_file, reads, writes
from sync.attachments import add_blob
from sync.models import Form, FormVersion
from sync.publishing import (
    copy_to_draft,
    drop_draft,
    find_draft,
    find_form_version,
    find_newest,
    get_definition,
    publish_draft,
    set_draft_file,
)

DRAFT = f"{FORM}/draft"
_FALLBACK = "X-XlsForm-FormId-Fallback"
_HEADERS = {_FALLBACK: "The form id for an XLSForm that names none, percent-encoded."}
_KINDS = {mimetype: kind for kind, mimetype in WORKBOOKS.items()}


class DraftQuery(Shape):
    ignore_warnings = Flag("true: an XLSForm that has warnings is taken all the same.")


class NewFormQuery(DraftQuery):
    publish = Flag("true: published at once, without a draft.")


class PublishQuery(Shape):
    version = Text("The name of the version, where it is to be another than the draft's own.")


@blueprint.post("/projects/1/forms")
@permission("forms.publish")
@reads_first
@answers(DraftShape)
@reads(*XML, *_KINDS, headers=_HEADERS)
@asks(NewFormQuery)
def create_form(asked: dict[str, Any]) -> Any:
    prepared, now = _read_form(asked), datetime.now(UTC)
    form_id = prepared.file.definition.form_id
    open_writer()
    if db.session.scalar(select(Form.id).where(Form.form_id == form_id)) is not None:
        raise Problem(409.3, fields=["projectId", "xmlFormId"], values=["1", form_id], table="forms")
    if asked["publish"]:
        return publish_prepared(db.session(), prepared, current_viewer().actor_id, now).version
    return draft_prepared(db.session(), prepared, now)


@blueprint.post(DRAFT)
@permission("forms.publish")
@reads_first
@answers(Done)
@reads(*XML, *_KINDS, required=False, headers=_HEADERS)
@asks(DraftQuery)
def create_draft(form_id: str, asked: dict[str, Any]) -> Any:
    """A body is the new definition; without one the published version is copied."""
    if not request.content_length:
        open_writer()
        get_form(form_id)
        return copy_to_draft(db.session(), form_id, datetime.now(UTC)) and {}
    prepared = _read_form(asked, form_id)
    open_writer()
    get_form(form_id)
    if prepared.file.definition.form_id != form_id:
        found = prepared.file.definition.form_id
        raise Problem(400.8, field="xmlFormId", value=found, reason=form_id)
    return draft_prepared(db.session(), prepared, datetime.now(UTC)) and {}


@blueprint.get(DRAFT)
@permission("forms.publish")
@answers(DraftShape, more=DRAFT_MORE)
def draft(form_id: str) -> Any:
    return get_draft(form_id)


@blueprint.delete(DRAFT)
@permission("forms.publish")
@answers(Done)
def delete_draft(form_id: str) -> Any:
    get_draft(form_id)
    if find_newest(db.session(), form_id) is None:
        raise Problem(409.7)
    drop_draft(db.session(), form_id)
    return {}


@blueprint.get(f"{DRAFT}.xml")
@permission("forms.publish")
@writes(XML[0])
def draft_xml(form_id: str) -> ResponseReturnValue:
    return Response(get_draft(form_id).xml, mimetype="application/xml")


@blueprint.get(f"{DRAFT}.<any(xlsx,xls):kind>")
@permission("forms.publish")
@writes(*_KINDS)
def draft_workbook(form_id: str, kind: str) -> ResponseReturnValue:
    return answer_workbook(get_draft(form_id), kind)


@blueprint.get(f"{DRAFT}/fields")
@permission("forms.publish")
@answers(FieldShape, many=True)
@asks(FieldsQuery)
def draft_fields(form_id: str, asked: dict[str, Any]) -> Any:
    return list_fields(get_definition(db.session(), get_draft(form_id)), odata=asked["odata"])


@blueprint.post(f"{DRAFT}/publish")
@permission("forms.publish")
@answers(Done)
@asks(PublishQuery)
def publish(form_id: str, asked: dict[str, Any]) -> Any:
    name = asked["version"] or get_draft(form_id).version
    get_draft(form_id)
    if find_form_version(db.session(), form_id, name) is not None:
        raise Problem(409.6, xmlFormId=form_id, version=name)
    publish_draft(db.session(), form_id, current_viewer().actor_id, datetime.now(UTC), name)
    return {}


@blueprint.get(f"{DRAFT}/attachments")
@permission("forms.publish")
@answers(FormFileShape, many=True)
def draft_files(form_id: str) -> Any:
    return get_draft(form_id).attachments


@blueprint.get(f"{DRAFT}/attachments/<segment:name>")
@permission("forms.publish")
@writes(ANY)
def draft_file(form_id: str, name: str) -> ResponseReturnValue:
    return answer_form_file(get_draft(form_id), name)


@blueprint.post(f"{DRAFT}/attachments/<segment:name>")
@permission("forms.publish")
@reads_first
@answers(FormFileShape)
@reads(ANY)
def upload_draft_file(form_id: str, name: str) -> Any:
    stored = attachment_store().save(body_file())
    open_writer()
    add_blob(db.session.connection(), stored, datetime.now(UTC))
    return set_draft_file(db.session(), get_draft(form_id), name, stored.sha256) or abort(404)


@blueprint.delete(f"{DRAFT}/attachments/<segment:name>")
@permission("forms.publish")
@answers(Done)
def delete_draft_file(form_id: str, name: str) -> Any:
    return {} if set_draft_file(db.session(), get_draft(form_id), name, None) else abort(404)


def get_form(form_id: str) -> Form:
    return db.session.scalar(select(Form).where(Form.form_id == form_id)) or abort(404)


def get_draft(form_id: str) -> FormVersion:
    return find_draft(db.session(), form_id) or abort(404)


def _read_form(asked: dict[str, Any], form_id: str | None = None) -> PreparedForm:
    """Read the body before the database is locked for writing: converting takes seconds."""
    kind = _KINDS.get(request.mimetype)
    fallback = unquote(request.headers.get(_FALLBACK, "")) or form_id
    name = f"form.{kind or 'xml'}"
    try:
        prepared = prepare_form(attachment_store(), name, request.get_data(), {}, fallback)
    except FormRefused as refused:
        raise refuse_form(refused, is_workbook=kind is not None) from refused
    except FormsError as refused:
        raise Problem(400.1, format=kind or "xml") from refused
    _check(prepared, ignores_warnings=asked["ignore_warnings"])
    return prepared


def _check(prepared: PreparedForm, *, ignores_warnings: bool) -> None:
    form_id = prepared.file.definition.form_id
    if form_id.lower().endswith((".xls", ".xlsx", ".xml")):
        raise Problem(400.8, field="xmlFormId", value=form_id, reason=".xls, .xlsx, .xml")
    if prepared.warnings and request.mimetype in _KINDS and not ignores_warnings:
        raise Problem(400.16, **word_warnings(prepared.warnings))
