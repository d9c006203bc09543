"""Entity lists of `/v1`, which Central calls datasets: list, one, new ones, their properties."""

from datetime import UTC, datetime
from typing import Any

from flask import abort

from forms.tables import odata_name
from server.accounts.permissions import permission
from server.accounts.sessions import current_viewer
from server.extensions import db
from server.rest.extended import LIST
from server.rest.problems import Problem
from server.rest.shapes import DatasetShape, Done, NewDataset, NewProperty
from server.rest.speech import answers, blueprint, takes
from sync.entity_acts import add_entity_list, add_property
from sync.entity_browsing import list_names
from sync.entity_records import ListFacts, describe_list

DATASET = "/projects/1/datasets/<segment:list_name>"


@blueprint.get("/projects/1/datasets")
@permission("entities.read")
@answers(DatasetShape, many=True, more=LIST)
def datasets() -> Any:
    return [_show(describe_list(db.session(), name)) for name in list_names(db.session(), current_viewer())]


@blueprint.post("/projects/1/datasets")
@permission("entities.change")
@answers(DatasetShape)
@takes(NewDataset)
def create_dataset(body: dict[str, Any]) -> Any:
    if body["approval_required"]:
        raise Problem(501.1, feature="approvalRequired")
    add_entity_list(db.session(), body["name"], current_viewer().actor_id, datetime.now(UTC))
    return _show(describe_list(db.session(), body["name"]))


@blueprint.get(DATASET)
@permission("entities.read")
@answers(DatasetShape, more=LIST)
def dataset(list_name: str) -> Any:
    return _show(describe_list(db.session(), get_list(list_name)))


@blueprint.post(f"{DATASET}/properties")
@permission("entities.change")
@answers(Done)
@takes(NewProperty)
def create_property(list_name: str, body: dict[str, Any]) -> Any:
    add_property(db.session(), get_list(list_name), body["name"], current_viewer().actor_id, datetime.now(UTC))
    return {}


def get_list(list_name: str) -> str:
    """The list, if the caller may know that it is there."""
    return list_name if list_name in list_names(db.session(), current_viewer()) else abort(404)


def _show(facts: ListFacts) -> dict[str, Any]:
    forms = sorted({form for found in facts.properties.values() for form in found})
    return {
        "name": facts.name,
        "created_at": facts.created_at,
        "properties": [
            {"name": name, "odata_name": odata_name(name), "published_at": facts.created_at, "forms": found}
            for name, found in facts.properties.items()
        ],
        "source_forms": [{"name": form, "xmlFormId": form} for form in forms],
    }
