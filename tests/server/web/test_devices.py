"""Tablets as an administrator keeps them: a code that is shown once, rotation, revocation, alerts."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.models import DeviceCredential
from server.accounts.secrets import hash_secret
from sync.models import Alert, AuditEvent, Device
from tests.accounts import add_account, add_site, log_in
from tests.seed import Seeded, seed


@pytest.fixture
def administrator(client: FlaskClient, session: Session) -> FlaskClient:
    return log_in(client, add_account(session))


@pytest.fixture
def seeded(session: Session) -> Seeded:
    return seed(session)


def token_of(page: str) -> str:
    [token] = re.findall(r"/v1/key/([A-Za-z0-9!$]{64})/projects/1", page)
    return str(token)


def form_list(client: FlaskClient, token: str) -> int:
    return client.get(f"/v1/key/{token}/projects/1/formList").status_code


def test_a_tablet_is_enrolled_with_a_code_that_works(administrator: FlaskClient, session: Session) -> None:
    site = add_site(session, "ROSSO")
    session.commit()
    page = administrator.post("/devices/new", data={"site": site.id, "name": "ROSSO-09", "language": "en"}).text
    assert form_list(administrator, token_of(page)) == 200
    assert "data:image/png;base64," in page
    assert "data:application/pdf;base64," in page


@pytest.mark.parametrize("given", [{"name": ""}, {"name": "DKR-C-01"}, {"site": "999"}], ids=["name", "taken", "site"])
def test_what_cannot_be_is_said(administrator: FlaskClient, seeded: Seeded, given: dict[str, str]) -> None:
    answer = administrator.post("/devices/new", data={"site": seeded.site.id, "name": "NEUVE", **given})
    assert answer.status_code == 422


def test_a_new_code_replaces_the_old_one(administrator: FlaskClient, session: Session, seeded: Seeded) -> None:
    address = f"/devices/{seeded.device.id}/rotate"
    first, second = token_of(administrator.post(address).text), token_of(administrator.post(address).text)
    assert (form_list(administrator, first), form_list(administrator, second)) == (403, 200)
    assert first not in administrator.get(f"/devices/{seeded.device.id}").text
    session.rollback()
    kept = session.scalars(select(DeviceCredential.token_sha256)).all()
    assert hash_secret(second) in kept


def test_a_revoked_tablet_is_out_from_the_next_request_on(administrator: FlaskClient, seeded: Seeded) -> None:
    token = token_of(administrator.post(f"/devices/{seeded.device.id}/rotate").text)
    administrator.post(f"/devices/{seeded.device.id}/revoke")
    assert form_list(administrator, token) == 403


def test_who_did_what_to_a_tablet_is_in_the_journal(
    administrator: FlaskClient, session: Session, seeded: Seeded
) -> None:
    address = f"/devices/{seeded.device.id}"
    for act, data in (("state", {"state": "lost"}), ("state", {"state": "lost"}), ("revoke", {}), ("rotate", {})):
        administrator.post(f"{address}/{act}", data=data)
    session.rollback()
    by = select(AuditEvent.action).where(AuditEvent.target == f"device:{seeded.device.id}", AuditEvent.actor_id > 0)
    assert session.scalars(by.order_by(AuditEvent.id)).all() == [
        "device.lost", "device.revoked", "device.active", "device.code_renewed"
    ]  # fmt: skip


@pytest.mark.parametrize(("state", "status"), [("lost", 302), ("drained", 302), ("revoked", 400), ("gone", 400)])
def test_only_these_states_are_set_here(
    administrator: FlaskClient, session: Session, seeded: Seeded, state: str, status: int
) -> None:
    answer = administrator.post(f"/devices/{seeded.device.id}/state", data={"state": state})
    assert answer.status_code == status
    session.rollback()
    assert session.get_one(Device, seeded.device.id).state == (state if status == 302 else "active")


def test_a_settled_alert_is_gone_and_in_the_journal(
    administrator: FlaskClient, session: Session, seeded: Seeded
) -> None:
    assert administrator.post(f"/devices/alerts/{seeded.alert_id}/settle").status_code == 302
    session.rollback()
    assert session.get_one(Alert, seeded.alert_id).settled_at is not None
    assert "alert.settled" in session.scalars(select(AuditEvent.action)).all()
    assert administrator.post(f"/devices/alerts/{seeded.alert_id}/settle").status_code == 404


def test_a_supervisor_sees_the_tablets_of_one_site(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    log_in(client, add_account(session, "site_supervisor", add_site(session, "ROSSO")))
    assert seeded.device.name not in client.get("/devices/").text
    assert client.get(f"/devices/{seeded.device.id}").status_code == 404
