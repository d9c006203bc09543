"""Exchanges as the job runs them: with the credentials that a peer names, one at a time, and written down."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from flask import Flask, request_started
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
from sync.peer_pace import Pace
from sync.peers import PeerDetails, PeerRefused, add_peer, change_peer, pause_peer, resume_peer
from sync.settings import change_setting
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


def account(address: str, password: str = PASSWORD, name: str = "ministry") -> str:
    """The table of an account in the file that TERAL_PEERS names."""
    return f'[{name}]\nusername = "{EMAIL}"\npassword = "{password}"\naddress = "{address}"\n'


@pytest.fixture
def peer(app: Flask, there: SecondServer) -> Peer:
    """A peer that was tested and resumed."""
    return add_working("ministry", there.url)


def add_working(name: str, url: str) -> Peer:
    def add(session: Session) -> Peer:
        made = add_peer(session, name, PeerDetails(url), None, datetime.now(UTC))
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


def test_every_peer_whose_time_has_come_has_its_turn_whatever_becomes_of_the_others(
    peer: Peer, settings: Settings, there: SecondServer, session: Session
) -> None:
    there.publish("1")
    # No credentials say how to reach the second one.
    for name in ("customs", "navy"):
        add_working(name, there.url)
    Path(settings.peers).write_text(account(there.url) + account(there.url, name="navy"))
    assert run_due(always) == {"ministry": "done", "customs": "failed", "navy": "done"}
    runs = session.execute(select(Peer.name, PeerRun.outcome, PeerRun.counts).join(PeerRun).order_by(PeerRun.id))
    assert [tuple(one) for one in runs] == [
        ("ministry", "done", {"forms_in": 1}), ("customs", "failed", {}), ("navy", "done", {}),
    ]  # fmt: skip
    assert run_due(always) == {}


def test_no_other_peer_has_its_turn_once_the_job_is_to_end(peer: Peer, there: SecondServer) -> None:
    add_working("navy", there.url)

    def until_one_ran() -> bool:
        return Transactions().read(lambda inner: inner.scalar(select(PeerRun.id))) is None

    assert run_due(until_one_ran) == {"ministry": "done"}


@pytest.mark.parametrize(("minutes", "due"), [("9", True), ("11", False)])
def test_a_peers_time_comes_as_often_as_the_setting_says(peer: Peer, session: Session, minutes: str, due: bool) -> None:
    change_setting(session, "peer_minutes", minutes, None, datetime.now(UTC))
    session.commit()
    run_due(always)
    session.execute(update(PeerRun).values(started_at=datetime.now(UTC) - timedelta(minutes=10)))
    session.commit()
    assert run_due(always) == ({"ministry": "done"} if due else {})


@dataclass
class Hours:
    """A clock that only waiting moves."""

    now: float = 0.0

    def read(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(("rate", "apart"), [("4", 0.25), ("20", 0.05)])
def test_a_peer_is_asked_no_more_often_than_the_setting_says(
    peer: Peer, there: SecondServer, session: Session, monkeypatch: pytest.MonkeyPatch, rate: str, apart: float
) -> None:
    there.publish("1")
    there.send("uuid:a")
    change_setting(session, "peer_rate", rate, None, datetime.now(UTC))
    session.commit()
    hours, asked = Hours(), list[float]()
    monkeypatch.setattr(peers, "Pace", partial(Pace, sleep=hours.sleep, clock=hours.read))
    with request_started.connected_to(lambda _app, **_more: asked.append(hours.now), there.app):
        assert run_due(always) == {"ministry": "done"}
    # The first one logs in when its turn has come, and both go out together.
    later = asked[1:]
    assert len(later) > 4
    assert [after - before for before, after in pairwise(later)] == pytest.approx([apart] * (len(later) - 1))


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
