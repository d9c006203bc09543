"""App users are our tablets: enrolled, listed and shut out through either door."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from sync.devices import find_device
from tests.accounts import add_account, add_site, log_in
from tests.server.openrosa.tablet import HEADERS
from tests.server.rest.program import Program, problem


@pytest.fixture
def centre(session: Session) -> None:
    add_site(session, "DKR-C", "centre")
    session.commit()


def formlist(client: FlaskClient, token: str) -> int:
    return client.get(f"/v1/key/{token}/projects/1/formList", headers=HEADERS).status_code


def test_a_new_app_user_is_a_tablet_whose_token_works(
    program: Program, centre: None, client: FlaskClient, session: Session
) -> None:
    made = program.post("projects/1/app-users", json={"displayName": "T-1"}).json
    device = find_device(session, "T-1")
    assert device is not None
    assert (made["id"], made["projectId"], made["type"]) == (device.actor_id, 1, "field_key")
    assert formlist(client, made["token"]) == 200


def test_a_list_says_which_tokens_hold_and_shows_none(program: Program, centre: None) -> None:
    for name in ("T-1", "T-2"):
        program.post("projects/1/app-users", json={"displayName": name})
    gone = program.json("projects/1/app-users")[0]
    program.call("DELETE", f"projects/1/app-users/{gone['id']}")
    assert [one["token"] for one in program.json("projects/1/app-users")] == [None, ""]


@pytest.mark.parametrize("by", ["id", "token"])
def test_a_revoked_app_user_is_out_from_its_next_request(
    program: Program, centre: None, client: FlaskClient, by: str
) -> None:
    made = program.post("projects/1/app-users", json={"displayName": "T-1"}).json
    path = f"projects/1/app-users/{made['id']}" if by == "id" else f"sessions/{made['token']}"
    assert program.call("DELETE", path).json == {"success": True}
    assert formlist(client, made["token"]) == 403


def test_pages_and_programs_shut_out_the_same_tablets(
    program: Program, centre: None, app: Flask, session: Session
) -> None:
    desk = log_in(app.test_client(), add_account(session))
    made = [program.post("projects/1/app-users", json={"displayName": name}).json for name in ("T-1", "T-2")]
    assert [one["displayName"] in desk.get("/devices/").text for one in made] == [True, True]
    devices = [find_device(session, name) for name in ("T-1", "T-2")]
    addresses = [f"/devices/{one.id}" for one in devices if one is not None]
    session.rollback()
    assert not any("révoquée" in desk.get(one).text for one in addresses)
    desk.post(f"{addresses[0]}/revoke")
    program.call("DELETE", f"projects/1/app-users/{made[1]['id']}")
    assert [one["token"] for one in program.json("projects/1/app-users")] == [None, None]
    assert [formlist(program.client, one["token"]) for one in made] == [403, 403]
    assert ["révoquée" in desk.get(one).text for one in addresses] == [True, True]


def test_a_name_is_taken_once(program: Program, centre: None) -> None:
    program.post("projects/1/app-users", json={"displayName": "T-1"})
    assert problem(program.post("projects/1/app-users", json={"displayName": "T-1"})) == (409, 409.3)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 400.2),
        ({"displayName": 7}, 400.11),
        ({"displayName": " "}, 400.8),
        ({"displayName": "T", "site": "NOWHERE"}, 400.2),
    ],
)
def test_what_cannot_be_a_tablet_is_refused(
    program: Program, centre: None, body: dict[str, object], code: float
) -> None:
    assert problem(program.post("projects/1/app-users", json=body)) == (400, code)


def test_among_several_sites_the_program_must_say_which(program: Program, centre: None, session: Session) -> None:
    add_site(session, "ROSSO")
    session.commit()
    assert problem(program.post("projects/1/app-users", json={"displayName": "T-1"})) == (400, 400.2)
    assert program.post("projects/1/app-users", json={"displayName": "T-1", "site": "ROSSO"}).status_code == 200
    device = find_device(session, "T-1")
    assert device is not None
    assert device.site.code == "ROSSO"
