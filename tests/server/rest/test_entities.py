"""Entity lists and entities through the door of programs; pyodk's own calls are in test_pyodk.py."""

from typing import Any
from uuid import uuid4

import pytest
from lxml import etree
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.models import Entity, EntityConflict, EntityDecision
from tests.server.rest.program import Program, problem
from tests.server.rest.test_exports import read_csv
from tests.sync.entities import STAY
from tests.sync.factory import NOW
from tests.sync.test_entity_decisions import disputed

__all__ = ["disputed"]

TOWNS = "projects/1/datasets/towns"
DAGANA = "7d1f3c1e-4b0a-4f0e-9a51-0b6d0f3a2c11"


@pytest.fixture
def towns(program: Program) -> Program:
    """The list `towns` with its property `region`, and Dagana in it."""
    program.post("projects/1/datasets", json={"name": "towns"})
    program.post(f"{TOWNS}/properties", json={"name": "region"})
    made = program.post(f"{TOWNS}/entities", json={"uuid": DAGANA, "label": "Dagana", "data": {"region": "SL"}})
    assert made.status_code == 200, made.text
    return program


def test_an_entity_has_what_pyodk_asks_for(towns: Program) -> None:
    whole = towns.json(f"{TOWNS}/entities/{DAGANA}")
    assert (whole["uuid"], whole["creatorId"], whole["conflict"]) == (DAGANA, towns.actor_id, None)
    assert whole["currentVersion"] | {"createdAt": "", "creatorId": 0} == {
        "label": "Dagana", "current": True, "version": 1, "baseVersion": None, "data": {"region": "SL"},
        "userAgent": "", "createdAt": "", "creatorId": 0, "conflictingProperties": None, "branchId": None,
        "trunkVersion": None, "branchBaseVersion": None,
    }  # fmt: skip
    (listed,) = towns.json(f"{TOWNS}/entities")
    assert (listed["uuid"], "data" in listed["currentVersion"]) == (DAGANA, False)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"uuid": DAGANA, "label": "Twice"}, (409, 409.3)),
        ({"label": "No list of numbers", "data": {"region": 3}}, (400, 400.11)),
        ({"label": "Unknown property", "data": {"nothing": "x"}}, (400, 400.28)),
        ({"uuid": "no uuid", "label": "X"}, (400, 400.28)),
        ({"data": {}}, (400, 400.2)),
        ({"entities": []}, (400, 400.31)),
        ({"label": "Podor", "properties": {"region": "SL"}}, (400, 400.31)),
        ({"entities": [{"label": "ok"}, {"label": " "}]}, (400, 400.28)),
    ],
)
def test_what_cannot_be_an_entity_is_refused_and_nothing_is_kept(towns: Program, body: Any, expected: Any) -> None:
    assert problem(towns.post(f"{TOWNS}/entities", json=body)) == expected
    assert len(towns.json(f"{TOWNS}/entities")) == 1


@pytest.mark.parametrize("body", [b'{"label": "\\ud800"}', b"{", b"[]", b'"x"'], ids=["half", "cut", "list", "text"])
def test_what_is_no_json_object_is_refused(towns: Program, body: bytes) -> None:
    assert problem(towns.post(f"{TOWNS}/entities", data=body)) == (400, 400.1)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"label": "Podor", "data": {"region": 3}}, "region"),
        ({"entities": [{"label": "Podor"}, {"label": "Matam", "data": {"region": None}}]}, "region"),
        ({"entities": [{"uuid": str(uuid4())}]}, "label"),
        ({"entities": "Podor"}, "entities"),
        ({"entities": ["Podor"]}, "entities"),
        ({"label": "Podor", "data": []}, "data"),
    ],
)
def test_what_is_wrong_is_told_by_its_name(towns: Program, body: Any, field: str) -> None:
    assert towns.post(f"{TOWNS}/entities", json=body).json["details"]["field"] == field  # type: ignore[index]


def test_an_update_must_know_the_present_version(towns: Program) -> None:
    path = f"{TOWNS}/entities/{DAGANA}"
    assert (
        towns.call("PATCH", f"{path}?baseVersion=1", json={"label": "Dagana 2"}).json["currentVersion"]["version"] == 2
    )  # type: ignore[index]
    assert problem(towns.call("PATCH", f"{path}?baseVersion=1", json={"label": "x"})) == (409, 409.15)
    assert problem(towns.call("PATCH", path, json={"label": "x"})) == (409, 409.15)
    assert problem(towns.call("PATCH", f"{path}?force=true&resolve=true", json={})) == (400, 400.32)
    forced = towns.call("PATCH", f"{path}?force=True", json={"data": {"region": "TH"}}).json
    assert (forced["currentVersion"]["label"], forced["currentVersion"]["data"]) == ("Dagana 2", {"region": "TH"})  # type: ignore[index]
    assert [one["version"] for one in towns.json(f"{path}/versions")] == [1, 2, 3]
    assert towns.json(f"{path}/diffs")[1] == [{"propertyName": "region", "old": "SL", "new": "TH"}]
    assert towns.json(f"{path}/audits")[-1]["action"] == "entity.create"


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("body", "value"), [({}, "9"), ({"data": {"sexe": "1"}}, "1")], ids=["as it stands", "with a word"]
)
def test_who_resolves_lets_the_present_values_stand(
    disputed: Session, program: Program, body: dict[str, Any], value: str
) -> None:
    path = f"projects/1/datasets/dossiers/entities/{STAY}"
    before = program.json(path)
    assert (before["conflict"], before["currentVersion"]["data"]["sexe"]) == ("hard", "9")
    version = before["currentVersion"]["version"]
    assert problem(program.call("PATCH", f"{path}?resolve=true&baseVersion=1", json=body)) == (409, 409.15)
    resolved = program.call("PATCH", f"{path}?resolve=true&baseVersion={version}", json=body)
    assert resolved.status_code == 200, resolved.text
    after = program.json(path)
    assert resolved.json == after
    assert (after["conflict"], after["currentVersion"]["data"]["sexe"]) == (None, value)
    # Who gives a value has settled it by that.
    decided = disputed.execute(select(EntityDecision.actor_id, EntityDecision.value)).all()
    assert decided == ([] if body else [(program.actor_id, "9")])
    assert problem(program.call("PATCH", f"{path}?resolve=true&force=true", json={})) == (400, 400.32)


def test_who_resolves_a_conflict_of_labels_keeps_the_label(disputed: Session, program: Program) -> None:
    entity = disputed.scalars(select(Entity)).one()
    rivals = [["arrivee uuid:c 1", entity.label], ["assistance uuid:b 1", "autre"]]
    entity.conflicts.append(EntityConflict(property_name="label", candidates=rivals, opened_at=NOW))
    label = entity.label
    disputed.commit()
    path = f"projects/1/datasets/dossiers/entities/{STAY}"
    assert program.call("PATCH", f"{path}?resolve=true&force=true", json={}).json["currentVersion"]["label"] == label  # type: ignore[index]
    assert program.json(path)["currentVersion"]["label"] == label != ""


def test_what_is_deleted_is_gone_until_it_is_restored(towns: Program) -> None:
    path = f"{TOWNS}/entities/{DAGANA}"
    assert towns.call("DELETE", path).json == {"success": True}
    assert problem(towns.get(path)) == problem(towns.call("DELETE", path)) == (404, 404.1)
    assert problem(towns.post(f"{TOWNS}/entities", json={"uuid": DAGANA, "label": "Again"})) == (409, 409.19)
    assert [one["uuid"] for one in towns.json(f"{TOWNS}/entities?deleted=true")] == [DAGANA]
    assert towns.post(f"{path}/restore").json == {"success": True}
    assert towns.json(path)["uuid"] == DAGANA


def test_many_are_deleted_and_restored_at_once(towns: Program) -> None:
    """Those that are not there, or not deleted, count for nothing."""
    for act in ("bulk-delete", "bulk-restore"):
        answers = [towns.post(f"{TOWNS}/entities/{act}", json={"ids": [DAGANA, DAGANA, str(uuid4())]}) for _ in "12"]
        assert [one.json for one in answers] == [{"count": 1}, {"count": 0}]
        assert problem(towns.post(f"{TOWNS}/entities/{act}", json={"ids": [7]})) == (400, 400.11)
    assert towns.json(f"{TOWNS}/entities/{DAGANA}")["uuid"] == DAGANA


def test_lists_and_properties_are_taken_once(towns: Program) -> None:
    assert problem(towns.post("projects/1/datasets", json={"name": "towns"})) == (409, 409.3)
    assert problem(towns.post(f"{TOWNS}/properties", json={"name": "region"})) == (409, 409.3)
    assert problem(towns.post("projects/1/datasets", json={"name": "a.b"})) == (400, 400.8)
    assert problem(towns.post("projects/1/datasets", json={"name": "x", "approvalRequired": True})) == (501, 501.1)
    assert problem(towns.get("projects/1/datasets/nothing")) == (404, 404.1)


def test_a_list_is_a_table_with_pages_search_and_filters(towns: Program) -> None:
    new = [{"label": f"Town {number}", "data": {"region": "KL"}, "uuid": str(uuid4())} for number in range(3)]
    towns.post(f"{TOWNS}/entities", json={"entities": new, "source": {"name": "towns.csv"}})
    url, labels = f"{TOWNS}.svc/Entities?$top=2&$count=true", []
    while url:
        page = towns.json(url)
        assert page["@odata.count"] == 4
        labels += [one["label"] for one in page["value"]]
        url = page.get("@odata.nextLink", "").partition("/v1/")[2]
    assert labels == ["Town 2", "Town 1", "Town 0", "Dagana"]
    found = towns.json(f"{TOWNS}.svc/Entities?$search=DAGAN&$select=__id,region,__system/version")["value"]
    assert found == [{"__id": DAGANA, "region": "SL", "__system": {"version": 1}}]
    assert problem(towns.get(f"{TOWNS}.svc/Entities?$search={'+'.join('abcdefghijk')}")) == (400, 400.18)
    assert len(towns.json(f"{TOWNS}.svc/Entities?$filter=region eq 'KL'")["value"]) == 3
    assert problem(towns.get(f"{TOWNS}.svc/Entities?$select=nothing")) == (400, 400.23)
    assert problem(towns.get(f"{TOWNS}.svc/Entities?$skiptoken=01x")) == (400, 400.35)


def test_a_list_describes_itself_and_comes_as_csv(towns: Program) -> None:
    assert [one["name"] for one in towns.json(f"{TOWNS}.svc")["value"]] == ["Entities"]
    told = etree.fromstring(towns.get(f"{TOWNS}.svc/$metadata").data)
    assert "region" in {one.get("Name") for one in told.iter("{*}Property")}
    (row,) = read_csv(towns.get(f"{TOWNS}/entities.csv").data)
    assert (row["__id"], row["label"], row["region"], row["__version"]) == (DAGANA, "Dagana", "SL", "1")
