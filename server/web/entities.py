"""Follow-up lists (ODK entities): which there are, one list with its filters and search, one entity.

What a person decides about an entity is entity_decisions.py, taking it out of its list entity_deletions.py. The search
is a POST: a label may name somebody.
"""

from dataclasses import replace

from flask import Blueprint, Response, abort, render_template, request, stream_with_context
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from server.accounts.permissions import note_reading, permission, reads_first
from server.accounts.sessions import current_viewer
from server.extensions import db
from server.routing import row_id
from server.web.entity_words import EntityWords, entity_words
from server.web.headers import as_download
from server.web.tables import stream_csv
from sync.entity_browsing import (
    ENTITY_STATES,
    MOST_COUNTED,
    TROUBLES,
    EntityFilters,
    find_entity,
    list_entities,
    list_exportable_properties,
    list_names,
    list_properties,
    may_search_labels,
    summarise_list,
)
from sync.entity_export import export_head, export_lines
from sync.entity_history import read_history
from sync.models import Entity, Site
from sync.policy import (
    PERSONAL_CLASSES,
    Viewer,
    list_exportable_classes,
    may,
    may_delete_entity,
    needs_purpose,
    programme,
)
from sync.scopes import scope_sites

blueprint = Blueprint("entities", __name__, url_prefix="/entities")

# A table of every property would not fit on a tablet; all of them are on the entity's own page.
_COLUMNS = 4
_LONGEST = 100


@blueprint.get("/")
@permission("entities.read")
def lists_page() -> ResponseReturnValue:
    viewer, session = current_viewer(), db.session()
    summaries = [summarise_list(session, viewer, name, MOST_COUNTED) for name in list_names(session, viewer)]
    return render_template("entities/lists.html", lists=summaries, most=MOST_COUNTED)


@blueprint.get("/<list_name>/")
@permission("entities.read")
def list_page(list_name: str) -> ResponseReturnValue:
    return _render_list(list_name, read_filters(request.args), request.args.get("after", type=row_id))


@blueprint.post("/<list_name>/")
@permission("entities.read")
@reads_first
def search(list_name: str) -> ResponseReturnValue:
    asked = request.form.get("asked", "").strip()[:_LONGEST]
    filters = replace(read_filters(request.form), asked=asked)
    return _render_list(list_name, filters, request.form.get("after", type=row_id))


@blueprint.get("/<list_name>/export.csv")
@permission("entities.export")
def export(list_name: str) -> ResponseReturnValue:
    viewer, session = current_viewer(), db.session()
    _check_list(list_name)
    if not _may_export(viewer, list_name):
        abort(403)
    properties = list_exportable_properties(session, viewer, list_name)
    note_reading("entities.exported", f"entities:{list_name}")
    lines = export_lines(session, viewer, list_name, properties, read_filters(request.args))
    table = stream_csv(export_head(properties), lines)
    download = as_download(f"teral-{list_name}.csv")
    return Response(stream_with_context(table), mimetype="text/csv", headers=download)


@blueprint.get("/<list_name>/<uuid>")
@permission("entities.read")
def page(list_name: str, uuid: str) -> ResponseReturnValue:
    return render_entity(get_entity(list_name, uuid))


def get_entity(list_name: str, uuid: str) -> Entity:
    return find_entity(db.session(), current_viewer(), list_name, uuid) or abort(404)


def render_entity(entity: Entity, problem: str | None = None) -> str:
    """The page of one entity; whoever reads what is said about a person is written down."""
    viewer, session = current_viewer(), db.session()
    note_entities("entity.read", entity.list_name, f"entity:{entity.id}")
    history = read_history(session, entity, viewer)
    return render_template(
        "entities/page.html", one=entity, words=entity_words(session, viewer, entity.list_name), problem=problem,
        properties=list_properties(session, entity.list_name), hidden=is_hidden(viewer, entity.list_name),
        history=history, numbers={one.key: number for number, one in reversed(list(enumerate(history.steps, 1)))},
        deletes=may_delete_entity(viewer, entity.list_name),
        rule=lambda name: programme().policy_for_list(entity.list_name).merge_policy(name).rule,
    )  # fmt: skip


def read_filters(asked: MultiDict[str, str]) -> EntityFilters:
    """The filters beside the words that are searched; what makes no sense is no filter."""
    state, trouble = asked.get("state"), asked.get("trouble")
    return EntityFilters(
        site_code=asked.get("site") or None,
        state=state if state in ENTITY_STATES else None,
        trouble=trouble if trouble in TROUBLES else None,
    )


def is_hidden(viewer: Viewer, list_name: str) -> bool:
    """Whether what the rows say stays hidden until the viewer states a purpose."""
    return needs_purpose(viewer, programme().policy_for_list(list_name).record_class)


def note_entities(action: str, list_name: str, target: str) -> None:
    """Note that rows of a list are shown, where they are about people."""
    if programme().policy_for_list(list_name).record_class in PERSONAL_CLASSES:
        note_reading(action, target)


def _check_list(list_name: str) -> None:
    if list_name not in list_names(db.session(), current_viewer()):
        abort(404)


def _may_export(viewer: Viewer, list_name: str) -> bool:
    may_take = programme().policy_for_list(list_name).record_class in list_exportable_classes(viewer)
    return may_take and may(viewer, "entities.export")


def _render_list(list_name: str, filters: EntityFilters, after: int | None) -> str:
    viewer, session = current_viewer(), db.session()
    _check_list(list_name)
    found = list_entities(session, viewer, list_name, filters, after)
    if found.rows:
        note_entities("entities.listed", list_name, f"entities:{list_name}")
    words = entity_words(session, viewer, list_name)
    return render_template(
        "entities/list.html", list_name=list_name, page=found, filters=filters, first=after is None, words=words,
        columns=_choose_columns(list_name, words), states=ENTITY_STATES, troubles=TROUBLES,
        sites=session.scalars(scope_sites(select(Site).order_by(Site.name), viewer)).all(),
        searches=may_search_labels(viewer, list_name), hidden=is_hidden(viewer, list_name),
        exports=_may_export(viewer, list_name),
    )  # fmt: skip


def _choose_columns(list_name: str, words: EntityWords) -> list[str]:
    """The first properties that the reader may see at least in part, those that a mask leaves before the others."""
    policy = programme().policy_for_list(list_name)
    names = [*policy.unmasked, *list_properties(db.session(), list_name)]
    seen = [name for name in dict.fromkeys(names) if words.value(name, "x").kind != "absent"]
    return [name for name in seen if name != policy.site_property][:_COLUMNS]
