"""Published forms as programs read them, under whatever names they have."""

import pytest

from tests.server.rest.program import Program, form_path, problem
from tests.server.rest.samples import MARKET, record, simple, to_xlsx, workbook

AWKWARD = ("✅", "'=+/*-451%/%", "a/../b", "50%2F")


def publish(program: Program, form_id: str, version: str) -> None:
    sheets = simple(form_id, version)
    assert program.post("projects/1/forms?publish=True&ignoreWarnings=True", **to_xlsx(sheets)).status_code == 200


@pytest.mark.parametrize("form_id", AWKWARD)
def test_any_form_id_is_one_segment_of_an_address(program: Program, form_id: str) -> None:
    publish(program, form_id, "1")
    assert program.json(form_path(form_id))["xmlFormId"] == form_id
    assert program.get(f"{form_path(form_id)}.xml").data.startswith(b"<?xml")
    assert [one["version"] for one in program.json(f"{form_path(form_id)}/versions")] == ["1"]


def test_a_form_has_what_pyodk_asks_for(market: Program) -> None:
    (form,) = market.json("projects/1/forms")
    assert form == market.json(form_path("market"))
    expected = {"projectId": 1, "xmlFormId": "market", "version": "1", "state": "open", "name": "Market"}
    assert {name: form[name] for name in expected} == expected
    assert (form["keyId"], form["enketoId"]) == (None, None)
    assert len(form["hash"]) == 32
    assert form["createdAt"].endswith("Z")
    assert form["publishedAt"].endswith("Z")


def test_the_workbook_comes_back_as_it_was_sent(program: Program) -> None:
    book = workbook(MARKET)
    program.post("projects/1/forms?publish=true&ignoreWarnings=true", **{**to_xlsx(MARKET), "data": book})
    assert program.get(f"{form_path('market')}.xlsx").data == book
    assert problem(program.get(f"{form_path('market')}.xls")) == (404, 404.1)


def test_older_versions_stay_readable(market: Program) -> None:
    sheets = {**MARKET, "settings": [["form_id", "form_title", "version"], ["market", "Market", "2"]]}
    market.post(f"{form_path('market')}/draft?ignoreWarnings=true", **to_xlsx(sheets))
    market.post(f"{form_path('market')}/draft/publish")
    assert [one["version"] for one in market.json(f"{form_path('market')}/versions")] == ["2", "1"]
    assert b'version="1"' in market.get(f"{form_path('market')}/versions/1.xml").data
    assert market.json(f"{form_path('market')}/versions/1")["state"] == "closing"


def test_fields_are_listed_with_their_types(market: Program) -> None:
    found = {one["path"]: one["type"] for one in market.json(f"{form_path('market')}/fields")}
    assert found["/boxes"] == "int"
    assert (found["/seller"], found["/seller/stall"], found["/crate"]) == ("structure", "string", "repeat")
    assert found["/crate/layer/count"] == "int"
    assert found["/meta/instanceID"] == "string"


def test_a_form_is_closed_and_opened(market: Program) -> None:
    assert market.call("PATCH", form_path("market"), json={"state": "closed"}).json["state"] == "closed"  # type: ignore[index]
    assert market.call("PATCH", form_path("market"), json={}).json["state"] == "closed"  # type: ignore[index]
    for state in ("gone", "draft"):
        refused = market.call("PATCH", form_path("market"), json={"state": state})
        assert problem(refused) == (400, 400.8)
        assert refused.json["details"]["value"] == state  # type: ignore[index]


def test_an_unknown_form_is_not_there(program: Program) -> None:
    for path in ("", ".xml", "/versions", "/fields", "/attachments", "/draft"):
        refused = program.get(form_path("nowhere") + path)
        assert problem(refused) == (404, 404.1)
        assert "details" not in refused.json  # type: ignore[operator]


def test_a_form_that_received_nothing_is_deleted(market: Program) -> None:
    market.post(f"{form_path('market')}/draft")
    assert market.call("DELETE", form_path("market")).json == {"success": True}
    assert problem(market.get(form_path("market"))) == (404, 404.1)
    assert problem(market.call("DELETE", form_path("market"))) == (404, 404.1)
    # Its id is free again.
    assert market.post("projects/1/forms?publish=true&ignoreWarnings=True", **to_xlsx(MARKET)).status_code == 200


def test_a_form_with_records_stays(market: Program) -> None:
    market.post(f"{form_path('market')}/submissions", data=record("uuid:a"), content_type="application/xml")
    refused = market.call("DELETE", form_path("market"))
    assert (problem(refused), "market" in refused.text) == ((409, 409.99), True)
    assert market.get(f"{form_path('market')}.xml").status_code == 200
