"""Forms: which versions there are and who gets them, what changed, publishing, drafts to test, files and downloads."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import func, select

from forms.differences import compare_forms
from forms.errors import FormRefused, FormsError
from server.accounts.collect_settings import draft_settings, draft_url, render_qr_svg
from server.accounts.permissions import permission, reads_first
from server.accounts.sessions import current_viewer, open_writer
from server.extensions import attachment_store, db
from server.i18n import select_language
from server.publishing import draft_prepared, prepare_form, publish_prepared
from server.web.headers import as_download
from server.words import label_path
from sync.models import SITE_KINDS, Form, FormAttachment, FormVersion, Submission
from sync.policy import may, present_counts, programme
from sync.publishing import (
    Published,
    PublishRefused,
    change_form_state,
    get_definition,
    list_versions,
    publish_draft,
)
from sync.scopes import scope_counts

blueprint = Blueprint("forms", __name__, url_prefix="/forms")


@blueprint.get("/")
@permission("forms.read")
def list_page() -> ResponseReturnValue:
    newest: dict[str, list[FormVersion]] = {}
    for version in list_versions(db.session()):
        newest.setdefault(version.form.form_id, []).append(version)
    kinds = {form_id: programme().policy_for(form_id).site_kinds for form_id in newest}
    return render_template("forms/list.html", forms=newest, kinds=kinds, all_kinds=SITE_KINDS)


@blueprint.get("/<int:form_pk>")
@permission("forms.read")
def page(form_pk: int) -> ResponseReturnValue:
    form = db.session.get(Form, form_pk) or abort(404)
    policy = programme().policy_for(form.form_id)
    versions = [one for one in list_versions(db.session()) if one.form_pk == form.id]
    counts = _count_records(form.form_id) if may(current_viewer(), "submissions.read") else None
    return render_template(
        "forms/page.html", form=form, versions=versions, policy=policy, counts=counts, all_kinds=SITE_KINDS,
        missing={one.id: _list_missing(one) for one in versions},
    )  # fmt: skip


@blueprint.get("/new")
@permission("forms.publish")
def new() -> ResponseReturnValue:
    return render_template("forms/upload.html")


@blueprint.post("/new")
@permission("forms.publish")
@reads_first
def upload() -> ResponseReturnValue:
    """Read the form before the database is locked for writing: converting takes seconds."""
    try:
        prepared = prepare_form(attachment_store(), *_read_upload())
        open_writer()
        if request.form.get("as") == "draft":
            version = draft_prepared(db.session(), prepared, datetime.now(UTC))
            published = None
        else:
            published = publish_prepared(db.session(), prepared, current_viewer().actor_id, datetime.now(UTC))
            version = published.version
    except FormsError as refused:
        db.session.rollback()
        return _refuse(refused)
    flash(_word_outcome(published))
    if prepared.warnings:
        return render_template("forms/warnings.html", version=version, problems=prepared.warnings)
    return redirect(url_for("forms.page", form_pk=version.form_pk))


@blueprint.post("/versions/<int:version_id>/state")
@permission("forms.publish")
def change_state(version_id: int) -> ResponseReturnValue:
    version = _get_version(version_id)
    try:
        change_form_state(
            db.session(), version.form.form_id, version.version, request.form.get("state", ""), datetime.now(UTC)
        )
    except PublishRefused as refused:
        return _refuse(refused)
    flash(gettext("The version's state is changed."))
    return redirect(url_for("forms.page", form_pk=version.form_pk))


@blueprint.post("/<int:form_pk>/publish-draft")
@permission("forms.publish")
def publish_tested(form_pk: int) -> ResponseReturnValue:
    form = db.session.get(Form, form_pk) or abort(404)
    try:
        published = publish_draft(db.session(), form.form_id, current_viewer().actor_id, datetime.now(UTC))
    except PublishRefused as refused:
        return _refuse(refused)
    flash(_word_outcome(published))
    return redirect(url_for("forms.page", form_pk=form_pk))


@blueprint.get("/versions/<int:version_id>/test-code")
@permission("forms.publish")
def test_code(version_id: int) -> ResponseReturnValue:
    """The draft's code for a tablet; it opens a project of its own, whose records never reach the registry."""
    draft = _get_version(version_id)
    if draft.draft_token is None:
        abort(404)
    settings = current_app.extensions["teral_settings"]
    url = draft_url(settings, draft.draft_token, draft.form.form_id)
    return Response(render_qr_svg(draft_settings(settings, draft.title, url)), mimetype="image/svg+xml")


@blueprint.get("/versions/<int:version_id>/changes/<int:other_id>")
@permission("forms.read")
def changes(version_id: int, other_id: int) -> ResponseReturnValue:
    new, old = _get_version(version_id), _get_version(other_id)
    if new.form_pk != old.form_pk:
        abort(404)
    before, after = get_definition(db.session(), old), get_definition(db.session(), new)
    labels = {path: label_path(path, one, select_language()) for one in (before, after) for path in one.by_path}
    return render_template("forms/changes.html", new=new, old=old, changes=compare_forms(before, after), labels=labels)


@blueprint.get("/versions/<int:version_id>/xform")
@permission("forms.read")
def xform(version_id: int) -> ResponseReturnValue:
    version = _get_version(version_id)
    return Response(version.xml, mimetype="text/xml", headers=as_download(f"{version.form.form_id}.xml"))


@blueprint.get("/versions/<int:version_id>/source")
@permission("forms.read")
def source(version_id: int) -> ResponseReturnValue:
    version = _get_version(version_id)
    if version.source is None:
        abort(404)
    headers = as_download(version.source_name or f"{version.form.form_id}.xlsx")
    return Response(version.source, mimetype="application/octet-stream", headers=headers)


@blueprint.get("/files/<int:file_id>")
@permission("forms.read")
def file(file_id: int) -> ResponseReturnValue:
    found = db.session.get(FormAttachment, file_id)
    if found is None or found.blob_sha256 is None:
        abort(404)
    content = attachment_store().read(found.blob_sha256)
    return Response(content, mimetype="application/octet-stream", headers=as_download(found.name))


def _read_upload() -> tuple[str, bytes, dict[str, bytes]]:
    form = request.files.get("form")
    if form is None or not form.filename:
        raise FormRefused("form_file_kind")
    media = {one.filename: one.read() for one in request.files.getlist("media") if one.filename}
    return form.filename, form.read(), media


def _refuse(refused: FormsError) -> ResponseReturnValue:
    problems = refused.problems if isinstance(refused, FormRefused) else None
    page = render_template("forms/upload.html", problems=problems, refusal=refused.word(gettext))
    return page, 422


def _word_outcome(published: Published | None) -> str:
    if published is None:
        return str(gettext("The draft is ready to be tested."))
    words = {
        "new": gettext("The form is published. Tablets get it with their next contact."),
        "updated": gettext("The missing files are there now."),
        "unchanged": gettext("Nothing changed: this very version is already published."),
    }
    return str(words[published.outcome])


def _get_version(version_id: int) -> FormVersion:
    return db.session.get(FormVersion, version_id) or abort(404)


def _list_missing(version: FormVersion) -> list[str]:
    return [one.name for one in version.attachments if one.blob_sha256 is None and not one.server_made]


def _count_records(form_id: str) -> dict[Any, int | None]:
    """How many records came per version, as the reader may know it."""
    viewer = current_viewer()
    found = select(Submission.version, func.count()).where(
        Submission.form_id == form_id, Submission.is_draft.is_(False)
    )
    rows = db.session.execute(scope_counts(found, viewer).group_by(Submission.version))
    return present_counts(viewer, programme().policy_for(form_id).record_class, {row[0]: row[1] for row in rows})
