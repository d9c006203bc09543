"""The pages of other servers: added without a password, tried, looked ahead, paused, begun again from a date."""

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from server import peers
from sync.leases import take_lease
from sync.models import Peer, PeerRun
from sync.peer_pace import Patience
from sync.peers import add_run
from tests.accounts import PASSWORD, add_account, log_in
from tests.sync.central.conftest import running, there
from tests.sync.central.second_server import EMAIL, SecondServer

__all__ = ["running", "there"]
ASKED = {"name": "ministere", "address": "https://odk.example.sn", "project": "1", "direction": "both"}


@pytest.fixture
def administrator(client: FlaskClient, session: Session) -> FlaskClient:
    return log_in(client, add_account(session))


@pytest.fixture
def peer(administrator: FlaskClient, session: Session, there: SecondServer, monkeypatch: pytest.MonkeyPatch) -> Peer:
    """One that was added on the page; its account is in the environment."""
    monkeypatch.setenv("TERAL_PEER_BRIDGE_USERNAME", EMAIL)
    monkeypatch.setenv("TERAL_PEER_BRIDGE_PASSWORD", PASSWORD)
    monkeypatch.setenv("TERAL_PEER_BRIDGE_ADDRESS", there.url)
    asked = ASKED | {"address": there.url, "credentials": "bridge", "lists": "dossiers"}
    assert administrator.post("/peers/new", data=asked).status_code == 302
    session.rollback()
    return session.scalars(select(Peer)).one()


def test_a_server_is_added_paused_and_changed(administrator: FlaskClient, session: Session) -> None:
    answer = administrator.post("/peers/new", data=ASKED | {"pulls": "a\r\nb"}, follow_redirects=True)
    assert "ministere" in answer.text
    assert "suspendu" in answer.text
    form = administrator.get("/peers/ministere/edit").text
    assert "a\nb</textarea>" in form
    assert administrator.post("/peers/ministere/edit", data=ASKED | {"project": "4"}).status_code == 302
    session.rollback()
    peer = session.scalars(select(Peer)).one()
    assert (peer.project_id, peer.pulls, peer.credentials) == (4, [], "ministere")


@pytest.mark.parametrize("address", ["http://odk.example.sn", "https://me:secret@odk.example.sn"])
def test_what_cannot_be_a_server_is_told_on_the_form(administrator: FlaskClient, address: str) -> None:
    for path in ("new", "ministere/edit"):
        answer = administrator.post(f"/peers/{path}", data=ASKED | {"address": address})
        assert (answer.status_code, address in answer.text) == (422, True)
        administrator.post("/peers/new", data=ASKED)


def test_it_is_tried_and_looked_ahead_and_nothing_moves(
    administrator: FlaskClient, peer: Peer, there: SecondServer, session: Session
) -> None:
    there.publish("1")
    there.send("uuid:a")
    assert "projet « Teral », 1 formulaires" in administrator.post("/peers/ministere/test").text
    answer = administrator.post("/peers/ministere/plan").text
    assert "versions de formulaires lues: 1" in answer
    assert "envois lus: 1" in answer
    assert session.scalars(select(PeerRun)).all() == []


def test_looking_ahead_ends_in_time_for_whoever_waits(
    administrator: FlaskClient, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "HURRIED", Patience(whole_s=-1))
    assert "plus de temps qu’une page n’attend" in administrator.post("/peers/ministere/plan").text


def test_credentials_that_are_not_set_are_told(administrator: FlaskClient) -> None:
    administrator.post("/peers/new", data=ASKED)
    for act in ("test", "plan"):
        answer = administrator.post(f"/peers/ministere/{act}")
        assert "TERAL_PEER_MINISTERE_USERNAME" in answer.text


def test_it_is_paused_resumed_and_begun_again(administrator: FlaskClient, peer: Peer, session: Session) -> None:
    for act, paused in (("resume", False), ("pause", True)):
        assert administrator.post(f"/peers/ministere/{act}").status_code == 302
        session.rollback()
        assert (session.scalars(select(Peer.paused_at)).one() is not None) == paused
    assert administrator.post("/peers/ministere/resend", data={"since": "2026-11-20"}).status_code == 302
    assert administrator.post("/peers/ministere/resend", data={"since": "hier"}).status_code == 422


def test_it_is_neither_changed_nor_begun_again_under_an_exchange(administrator: FlaskClient, session: Session) -> None:
    administrator.post("/peers/new", data=ASKED)
    now = datetime.now(UTC)
    take_lease(session, "peer:ministere", "another:1", now, now + timedelta(minutes=1))
    session.commit()
    for act, data in (("edit", ASKED | {"project": "4"}), ("resend", {"since": "2026-11-20"})):
        answer = administrator.post(f"/peers/ministere/{act}", data=data)
        assert (answer.status_code, "Un échange avec ministere est en cours" in answer.text) == (422, True)
    session.rollback()
    assert session.scalars(select(Peer.project_id)).one() == 1


def test_runs_and_their_problems_stand_on_its_page_and_on_the_first_one(
    administrator: FlaskClient, peer: Peer, session: Session
) -> None:
    problem = {"what": "uuid:7", "message": "The server refused a request (%(status)s).", "params": {"status": "409.3"}}
    add_run(session, peer.id, datetime.now(UTC), "failed", {"records_in": 3}, [problem], datetime.now(UTC))
    session.commit()
    for path in ("/peers/ministere", "/peers/", "/"):
        page = administrator.get(path).text
        assert "Le serveur a refusé une requête (409.3)." in page
        assert "envois lus: 3" in page


def test_a_server_that_is_none_is_not_there(administrator: FlaskClient) -> None:
    assert administrator.get("/peers/nobody").status_code == 404
