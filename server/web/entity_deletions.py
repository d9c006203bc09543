"""Taking an entity out of its list, and bringing it back: a fact like any other, so tablets that did not see it lose
nothing.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from flask import Blueprint, abort, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from forms.errors import FormsError
from server.accounts.permissions import permission
from server.accounts.sessions import current_viewer
from server.extensions import db
from server.web.entities import get_entity, render_entity
from sync.entity_acts import delete_entity, restore_entity
from sync.models import Entity
from sync.policy import may_delete_entity

blueprint = Blueprint("entity_deletions", __name__, url_prefix="/entities")


@blueprint.post("/<list_name>/<uuid>/delete")
@permission("entities.delete")
def delete(list_name: str, uuid: str) -> ResponseReturnValue:
    return _act(delete_entity, list_name, uuid, gettext("Deleted. Tablets lose the row at their next synchronisation."))


@blueprint.post("/<list_name>/<uuid>/restore")
@permission("entities.delete")
def restore(list_name: str, uuid: str) -> ResponseReturnValue:
    return _act(restore_entity, list_name, uuid, gettext("Restored, with all that came in the meantime."))


def _act(act: Callable[..., Entity], list_name: str, uuid: str, done: str) -> ResponseReturnValue:
    entity, viewer = get_entity(list_name, uuid), current_viewer()
    if not may_delete_entity(viewer, list_name):
        abort(403)
    try:
        act(db.session(), list_name, entity.uuid, viewer.actor_id, datetime.now(UTC))
    except FormsError as refused:
        db.session.rollback()
        return render_entity(get_entity(list_name, uuid), problem=refused.word(gettext)), 422
    flash(done)
    return redirect(url_for("entities.page", list_name=list_name, uuid=uuid))
