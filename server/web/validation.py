"""Trying out a form: a designer pastes a record and reads what the validator says. Nothing of it is kept.

`POST /api/validate` answers programs the same; records that came from tablets are on the pages of submissions.py.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from werkzeug.datastructures import FileStorage

from forms.errors import FormRefused, FormsError
from forms.lists import HeldLists
from server.accounts.permissions import permission, reads_first
from server.extensions import attachment_store, db
from server.i18n import select_language
from server.routing import row_id
from server.validation import GivenForm, RecordRefused, Validator, describe
from server.validation_lines import answer_line
from sync.list_files import ListFiles
from sync.models import FormVersion
from sync.publishing import get_definition, list_versions

blueprint = Blueprint("validation", __name__)


@blueprint.get("/validation")
@permission("forms.validate")
def page() -> ResponseReturnValue:
    return _render()


@blueprint.post("/validation")
@permission("forms.validate")
@reads_first
def validate() -> ResponseReturnValue:
    try:
        form, lists = _read_form()
        findings = Validator().validate(form, _read_record(), lists, select_language())
    except FormsError as refused:
        problems = refused.problems if isinstance(refused, FormRefused) else []
        return _render(refusal=refused.word(gettext), problems=problems), 422
    return _render(verdict=describe(findings, form.definition), title=form.definition.title)


@blueprint.post("/api/validate")
@permission("forms.validate")
@reads_first
def answer() -> ResponseReturnValue:
    """One object of `teral validate --jsonl` in, its answer out; 422 where there is no judging it."""
    said = answer_line(request.get_data(), Validator())
    return said, 422 if "error" in said else 200


def _read_form() -> tuple[GivenForm, HeldLists]:
    """The uploaded form with its files, or else the published version that was chosen with the lists that it has."""
    validator, upload = Validator(), request.files.get("form")
    if upload is not None and upload.filename:
        form = validator.find_form(upload.filename, upload.read())
        return form, validator.find_lists(form, _read_media(request.files.getlist("media")))
    version = db.session.get(FormVersion, request.form.get("version", 0, type=row_id))
    if version is None:
        raise RecordRefused("form_not_given")
    form = GivenForm(get_definition(db.session(), version))
    return form, ListFiles(db.session(), attachment_store()).load(version)


def _read_media(files: list[FileStorage]) -> Mapping[str, bytes]:
    return {one.filename: one.read() for one in files if one.filename}


def _read_record() -> bytes:
    return request.form.get("record", "").strip().encode("utf-8", "replace")


def _render(**said: Any) -> str:
    return render_template(
        "validation.html", versions=list_versions(db.session()), record=request.form.get("record", ""),
        chosen=request.form.get("version", type=row_id), **said,
    )  # fmt: skip
