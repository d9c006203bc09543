"""Linkage models side by side: what each would change, and which one makes the links. Nothing here is of one person.

A model comes by training (`teral link train`), or from another one by short forms of names that are added to it; what
it is, is sync/linkage/model.py.
"""

from datetime import UTC, datetime

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from forms.errors import FormsError
from server.accounts.permissions import permission
from server.accounts.sessions import current_viewer
from server.extensions import db
from sync.link_models import (
    activate_model,
    add_model,
    drop_model,
    find_linking,
    get_model,
    keep_model,
    list_activations,
    list_models,
)
from sync.link_reports import list_reports, read_latest_reports
from sync.link_shadows import ZONES, compare_on_traffic
from sync.linkage.pet_forms import add_pet_forms, list_pet_forms, parse_pet_forms
from sync.models import LinkModelVersion
from sync.quarantine import MIN_REASON, DecisionRefused
from sync.registry import lock_registry

blueprint = Blueprint("link_models", __name__, url_prefix="/link-models")

_LONGEST = 10_000


@blueprint.get("/")
@permission("link_models.read")
def list_page() -> ResponseReturnValue:
    return render_template(
        "link_models/list.html", models=list_models(db.session()), reports=read_latest_reports(db.session()),
        activations=list_activations(db.session()),
    )  # fmt: skip


@blueprint.get("/<model_version>")
@permission("link_models.read")
def page(model_version: str) -> ResponseReturnValue:
    return _render(model_version)


@blueprint.get("/<model_version>/reports/<int:report_id>")
@permission("link_models.read")
def report_page(model_version: str, report_id: int) -> ResponseReturnValue:
    found = next((one for one in list_reports(db.session(), model_version) if one.id == report_id), None) or abort(404)
    return render_template("link_models/report.html", report=found)


@blueprint.get("/<model_version>/names")
@permission("link_models.read")
def names_page(model_version: str) -> ResponseReturnValue:
    return _render_names(model_version)


@blueprint.post("/<model_version>/names")
@permission("link_models.activate")
def add_names(model_version: str) -> ResponseReturnValue:
    """More short forms make another model, which links nobody before it is activated."""
    row, _state = _get_version(model_version)
    try:
        more = parse_pet_forms(request.form.get("names", "")[:_LONGEST])
        model = add_pet_forms(get_model(db.session(), row.version), more)
    except FormsError as refused:
        return _render_names(model_version, refused.word(gettext)), 422
    add_model(db.session(), model, current_viewer().actor_id, datetime.now(UTC))
    flash(gettext("This model knows the short forms. Look at it, and let it make the links."))
    return redirect(url_for("link_models.page", model_version=model.version))


@blueprint.post("/<model_version>/activate")
@permission("link_models.activate")
def activate(model_version: str) -> ResponseReturnValue:
    """The first click asks whether it is meant, the second one does it: all persons are decided anew."""
    row, _state = _get_version(model_version)
    reason, sure = request.form.get("reason", "").strip(), request.form.get("sure") == "yes"
    try:
        if len(reason) < MIN_REASON:
            raise DecisionRefused("reason_missing", least=MIN_REASON)
        if not sure:
            return render_template(
                "link_models/sure.html", row=row, reason=reason, reports=read_latest_reports(db.session())
            )
        lock_registry(db.session())
        activate_model(db.session(), row.version, current_viewer().actor_id, reason, datetime.now(UTC))
    except FormsError as refused:
        return _refuse(model_version, refused)
    flash(gettext("The model reads all records; then it makes the links."))
    return redirect(url_for("link_models.list_page"))


@blueprint.post("/<model_version>/keep")
@permission("link_models.activate")
def keep(model_version: str) -> ResponseReturnValue:
    row, _state = _get_version(model_version)
    lock_registry(db.session())
    keep_model(db.session(), row.version, current_viewer().actor_id, datetime.now(UTC))
    flash(gettext("The model reads along from now on."))
    return redirect(url_for("link_models.page", model_version=model_version))


@blueprint.post("/<model_version>/drop")
@permission("link_models.activate")
def drop(model_version: str) -> ResponseReturnValue:
    row, _state = _get_version(model_version)
    try:
        lock_registry(db.session())
        drop_model(db.session(), row.version, current_viewer().actor_id, datetime.now(UTC))
    except FormsError as refused:
        return _refuse(model_version, refused)
    flash(gettext("The model rests. What it read is forgotten, the model stays."))
    return redirect(url_for("link_models.page", model_version=model_version))


def _get_version(version: str) -> tuple[LinkModelVersion, str]:
    return next(((row, state) for row, state in list_models(db.session()) if row.version == version), None) or abort(
        404
    )


def _render(version: str, problem: str | None = None) -> str:
    (row, state), active = _get_version(version), find_linking(db.session())
    return render_template(
        "link_models/page.html", row=row, state=state, model=get_model(db.session(), version), problem=problem,
        active=active.model if active else None, zones=ZONES, reports=read_latest_reports(db.session()),
        earlier=list_reports(db.session(), version), reason=request.form.get("reason", ""),
        traffic=compare_on_traffic(db.session(), row.id, datetime.now(UTC)),
    )  # fmt: skip


def _render_names(version: str, problem: str | None = None) -> str:
    row, state = _get_version(version)
    return render_template(
        "link_models/names.html", row=row, state=state, problem=problem, written=request.form.get("names", ""),
        names=list_pet_forms(get_model(db.session(), version)),
    )  # fmt: skip


def _refuse(version: str, refused: FormsError) -> ResponseReturnValue:
    db.session.rollback()
    return _render(version, refused.word(gettext)), 422
