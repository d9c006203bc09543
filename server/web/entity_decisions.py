"""A person's word about values of an entity between which the policy leaves the choice to a human, and the way back."""

from datetime import UTC, datetime

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import select

from forms.errors import FormsError
from server.accounts.permissions import permission
from server.accounts.sessions import current_viewer
from server.extensions import db
from server.web.entities import get_entity, render_entity
from sync.entity_decisions import decide_conflict, undo_decision
from sync.models import EntityDecision
from sync.policy import may_decide_property
from sync.quarantine import MIN_REASON, DecisionRefused

blueprint = Blueprint("entity_decisions", __name__, url_prefix="/entities")


@blueprint.post("/<list_name>/<uuid>/decisions")
@permission("entities.decide")
def decide(list_name: str, uuid: str) -> ResponseReturnValue:
    entity, name = get_entity(list_name, uuid), request.form.get("property", "")
    _check_right(list_name, name)
    chosen, token, actor_id = _read_value(), request.form.get("token", ""), current_viewer().actor_id
    try:
        reason, now = _read_reason(), datetime.now(UTC)
        decide_conflict(db.session(), entity, name, chosen, token, actor_id=actor_id, now=now, reason=reason)
    except FormsError as refused:
        return _refuse(list_name, uuid, refused)
    flash(gettext("Your decision is noted. Tablets get it at their next synchronisation."))
    return redirect(url_for("entities.page", list_name=list_name, uuid=uuid))


@blueprint.post("/<list_name>/<uuid>/decisions/<int:decision_id>/undo")
@permission("entities.decide")
def undo(list_name: str, uuid: str, decision_id: int) -> ResponseReturnValue:
    entity = get_entity(list_name, uuid)
    named = select(EntityDecision).where(EntityDecision.id == decision_id, EntityDecision.entity_id == entity.id)
    decision = db.session.scalar(named) or abort(404)
    _check_right(list_name, decision.property_name)
    try:
        undo_decision(db.session(), decision, actor_id=current_viewer().actor_id, now=datetime.now(UTC))
    except FormsError as refused:
        return _refuse(list_name, uuid, refused)
    flash(gettext("The decision is undone. What it was about is open again."))
    return redirect(url_for("entities.page", list_name=list_name, uuid=uuid))


def _check_right(list_name: str, property_name: str) -> None:
    if not may_decide_property(current_viewer(), list_name, property_name):
        abort(403)


def _read_value() -> str:
    """The value that was chosen among the candidates, or the one that was typed."""
    choice = request.form.get("choice", "")
    if choice == "other":
        return request.form.get("other", "")
    return choice.removeprefix("=") if choice.startswith("=") else abort(400)


def _read_reason() -> str:
    reason = request.form.get("reason", "").strip()
    if len(reason) < MIN_REASON:
        raise DecisionRefused("reason_missing", least=MIN_REASON)
    return reason


def _refuse(list_name: str, uuid: str, refused: FormsError) -> ResponseReturnValue:
    db.session.rollback()
    return render_entity(get_entity(list_name, uuid), problem=refused.word(gettext)), 422
