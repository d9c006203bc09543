"""Who gets in: by token, by Digest and Basic, by a draft's token; and what those hear who do not."""

import base64
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from server.accounts.credentials import Enrolment, revoke_device, rotate_credential
from server.config import Settings
from sync.devices import find_device
from tests.server.openrosa.digest_client import answer_challenge
from tests.server.openrosa.tablet import HEADERS, Tablet, entries, message
from tests.sync.factory import xml

LIST = "{http://openrosa.org/xforms/xformsList}"


def basic(username: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"


def change(session: Session, settings: Settings, what: str) -> None:
    device = find_device(session, "ROS-1")
    assert device is not None
    if what == "rotate":
        rotate_credential(session, settings, device, datetime.now(UTC))
    else:
        revoke_device(session, device, datetime.now(UTC))
    session.commit()


def test_damaged_token_is_401_without_a_password_dialog(client: FlaskClient) -> None:
    response = client.get("/v1/key/damaged/projects/1/formList", headers=HEADERS)
    assert (response.status_code, "WWW-Authenticate" in response.headers) == (401, False)
    assert message(response).startswith("L'adresse de ce serveur")


def test_unknown_token_is_403(client: FlaskClient) -> None:
    for method, path in (("GET", "formList"), ("HEAD", "submission"), ("POST", "submission")):
        assert client.open(f"/v1/key/{'x' * 64}/projects/1/{path}", method=method).status_code == 403


def test_rotated_token_reads_nothing_but_still_sends(tablet: Tablet, session: Session, settings: Settings) -> None:
    change(session, settings, "rotate")
    assert tablet.get("/formList").status_code == 403
    assert message(tablet.get("/formList")).startswith("Ce code QR a été remplacé")
    assert tablet.head().status_code == 204
    assert tablet.send(xml("uuid:1")).status_code == 201


def test_revoked_tablet_is_refused_from_the_next_request_on(
    tablet: Tablet, session: Session, settings: Settings
) -> None:
    assert tablet.get("/formList").status_code == 200
    change(session, settings, "revoke")
    statuses = [tablet.get("/formList").status_code, tablet.head().status_code, tablet.send(xml("uuid:1")).status_code]
    assert statuses == [403, 403, 403]


def test_only_digest_is_offered_in_clear_and_both_over_tls(client: FlaskClient) -> None:
    plain = client.get("/formList", base_url="http://teral.test").headers.getlist("WWW-Authenticate")
    tls = client.get("/formList", base_url="https://teral.test").headers.getlist("WWW-Authenticate")
    assert [one.split()[0] for one in plain] == ["Digest"]
    assert [one.split()[0] for one in tls] == ["Digest", "Basic"]


def test_digest_opens_list_and_submission(client: FlaskClient, enrolment: Enrolment, published: None) -> None:
    for method, uri in (("GET", "/formList?deviceID=collect%3Aabc"), ("HEAD", "/submission?deviceID=collect%3Aabc")):
        offered = client.open(uri, method=method).headers["WWW-Authenticate"]
        answer = answer_challenge(offered, enrolment.username, enrolment.password, method, uri)
        assert client.open(uri, method=method, headers={"Authorization": answer}).status_code in (200, 204)


def test_wrong_digest_is_asked_again(client: FlaskClient, enrolment: Enrolment) -> None:
    offered = client.get("/formList").headers["WWW-Authenticate"]
    answer = answer_challenge(offered, enrolment.username, "wrong", "GET", "/formList")
    response = client.get("/formList", headers={"Authorization": answer})
    assert (response.status_code, "stale" in response.headers["WWW-Authenticate"]) == (401, False)


def test_addresses_under_basic_can_be_followed(client: FlaskClient, enrolment: Enrolment, published: None) -> None:
    headers = {"Authorization": basic(enrolment.username, enrolment.password)}
    (form,) = entries(client.get("/formList", headers=headers), LIST)
    for address in (form["downloadUrl"], form["manifestUrl"]):
        assert client.get(address, headers=headers).status_code == 200
        assert client.get(address).status_code == 401


@pytest.mark.parametrize(
    "header",
    [basic("t1-none", "x"), basic("t1\0", "x"), "Basic !!!", "Basic /w==", "Bearer x", "Digest x", ""],
    ids=["unknown", "NUL", "no base64", "no text", "bearer", "digest", "empty"],
)
@pytest.mark.both_databases
def test_other_credentials_are_asked_again(client: FlaskClient, header: str) -> None:
    response = client.get("/formList", headers={"Authorization": header})
    assert (response.status_code, b"OpenRosaResponse" in response.data) == (401, True)


def test_digest_sealed_with_another_secret_key_is_asked_again(
    client: FlaskClient, enrolment: Enrolment, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    from server.accounts.models import DeviceCredential

    session.query(DeviceCredential).update({"ha1": b"\0" * 60})
    session.commit()
    offered = client.get("/formList").headers["WWW-Authenticate"]
    answer = answer_challenge(offered, enrolment.username, enrolment.password, "GET", "/formList")
    assert client.get("/formList", headers={"Authorization": answer}).status_code == 401
    assert "TERAL_SECRET_KEY" in caplog.text
