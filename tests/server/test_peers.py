"""Exchanges as the job runs them: with the credentials that a peer names, one at a time, and written down."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, select, update
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from server import peers
from server.config import Settings
from server.peers import Project, plan_exchange, run_due, run_exchange, try_peer
from server.transactions import Transactions
from sync.leases import take_lease
from sync.models import JobLease, Peer, PeerRun, Submission
from sync.peer_answers import PeerError
from sync.peers import PeerDetails, PeerRefused, add_peer, change_peer, pause_peer, resume_peer
from tests.accounts import PASSWORD
from tests.sync.central.conftest import running, there
from tests.sync.central.second_server import EMAIL, SecondServer

__all__ = ["running", "there"]
MISSING = "The credentials ministry are neither"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path, running: SecondServer) -> Settings:
    path = tmp_path / "peers.toml"
    path.write_text(account(running.url))
    return Settings(**{**vars(settings), "peers": str(path)})


def account(address: str, password: str = PASSWORD) -> str:
    """The table of an account in the file that TERAL_PEERS names."""
    return f'[ministry]\nusername = "{EMAIL}"\npassword = "{password}"\naddress = "{address}"\n'


@pytest.fixture
def peer(app: Flask, there: SecondServer) -> Peer:
    """A peer that was tested and resumed."""

    def add(session: Session) -> Peer:
        made = add_peer(session, "ministry", PeerDetails(there.url), None, datetime.now(UTC))
        resume_peer(session, made, None, datetime.now(UTC))
        return made

    return Transactions().write(add)


def always() -> bool:
    return True


def test_due_peers_are_exchanged_with_and_the_run_is_kept(peer: Peer, there: SecondServer, session: Session) -> None:
    there.publish("1")
    there.send("uuid:a")
    assert try_peer(peer) == Project("Teral", 1)
    assert dict(plan_exchange(peer).counts) == {"forms_in": 1, "records_in": 1}
    assert run_due(always) == {"ministry": "done"}
    assert run_due(always) == {}
    run = session.scalars(select(PeerRun)).one()
    assert (run.outcome, run.counts, run.problems) == ("done", {"forms_in": 1, "records_in": 1}, [])
    session.execute(update(PeerRun).values(started_at=datetime.now(UTC) - timedelta(hours=1)))
    session.commit()
    assert run_due(always) == {"ministry": "done"}
    assert session.scalars(select(Submission.instance_id)).all() == ["uuid:a"]


def test_a_paused_peer_is_left_alone_and_a_run_under_way_ends(
    peer: Peer, there: SecondServer, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.publish("1")
    monkeypatch.setattr(peers, "LOOK", timedelta(0))
    pause_peer(session, session.get_one(Peer, peer.id), None, datetime.now(UTC))
    session.commit()
    assert run_due(always) == {}
    run = run_exchange(peer)
    assert run is not None
    assert (run.outcome, run.counts) == ("stopped", {})


def test_two_processes_do_not_exchange_with_one_peer(peer: Peer, session: Session) -> None:
    now = datetime.now(UTC)
    take_lease(session, "peer:ministry", "another:1", now, now + timedelta(minutes=1))
    session.commit()
    assert run_exchange(peer) is None
    assert run_due(always) == {"ministry": "busy"}


def test_a_turn_is_kept_while_a_step_waits_for_the_peer(
    app: Flask, peer: Peer, there: SecondServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "RENEWAL", timedelta(milliseconds=20))
    seen: list[datetime] = []

    def answer_late() -> bytes:
        ends = time.monotonic() + 10
        while len(seen) < 2 and time.monotonic() < ends:
            with app.app_context():
                until = Transactions().read(lambda inner: inner.scalars(select(JobLease.expires_at)).one())
            if until not in seen:
                seen.append(until)
            time.sleep(0.01)
        return b"[]"

    there.says["/projects/1/forms"] = answer_late
    run = run_exchange(peer)
    assert run is not None
    assert (run.outcome, len(seen)) == ("done", 2)
    assert seen[0] < seen[1]
    assert Transactions().read(lambda inner: inner.scalars(select(JobLease)).all()) == []


def test_a_peer_that_was_changed_before_its_turn_is_read_as_it_is_now(
    peer: Peer, there: SecondServer, session: Session
) -> None:
    there.publish("1")
    there.publish("1", form_id="arrivee")
    change_peer(
        session, session.get_one(Peer, peer.id), PeerDetails(there.url, pulls="arrivee"), None, datetime.now(UTC)
    )
    session.commit()
    run = run_exchange(peer)
    assert run is not None
    assert run.counts == {"forms_in": 1}


def test_a_turn_that_came_to_nothing_is_given_back(peer: Peer, session: Session) -> None:
    session.execute(delete(Peer))
    session.commit()
    with pytest.raises(NoResultFound):
        run_exchange(peer)
    session.rollback()
    assert session.scalars(select(JobLease)).all() == []


def test_credentials_that_are_not_set_are_told(peer: Peer, settings: Settings, session: Session) -> None:
    Path(settings.peers).write_text("[another]\n")
    with pytest.raises(PeerRefused, match=MISSING):
        try_peer(peer)
    assert run_due(always) == {"ministry": "failed"}
    assert session.scalars(select(PeerRun)).one().problems[0]["message"].startswith("The credentials %(name)s are")


def test_an_account_is_sent_to_its_own_address_only(
    peer: Peer, settings: Settings, there: SecondServer, session: Session
) -> None:
    Path(settings.peers).write_text(account("https://odk.example.sn"))
    asked: list[bytes] = []
    there.says["/v1/sessions"] = lambda: asked.append(b"") or b""  # type: ignore[func-returns-value]
    for look in (try_peer, plan_exchange):
        with pytest.raises(PeerRefused, match="for a server at another address"):
            look(peer)
    assert run_due(always) == {"ministry": "failed"}
    assert asked == []


@pytest.mark.parametrize("content", ["[ministry", None], ids=["no TOML", "not there"])
def test_a_file_of_credentials_that_cannot_be_read_is_like_none(
    peer: Peer, settings: Settings, content: str | None
) -> None:
    path = Path(settings.peers)
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(PeerRefused, match=MISSING):
        try_peer(peer)


def test_wrong_credentials_are_told(peer: Peer, settings: Settings, session: Session) -> None:
    Path(settings.peers).write_text(account(peer.address, "wrong"))
    with pytest.raises(PeerError) as refused:
        try_peer(peer)
    assert refused.value.code == "peer_credentials"
    run = run_exchange(peer)
    assert run is not None
    assert run.problems == [
        {"what": "", "message": "The server does not accept the credentials.", "params": {"status": "401.2"}}
    ]


def test_a_fault_of_ours_is_shown_and_ends_no_schedule(
    peer: Peer, session: Session, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(peers, "attachment_store", lambda: 1 / 0)
    assert run_due(always) == {"ministry": "failed"}
    assert "ZeroDivisionError" in caplog.text
    assert "through a fault of this server" in session.scalars(select(PeerRun)).one().problems[0]["message"]
