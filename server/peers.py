"""Exchanges with other servers: the account, the line, our side in short transactions, and how it went.

What moves is sync/central/'s work. Shared by the job, the pages and `teral peers`.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any, TypeVar
from uuid import uuid4

from flask import Flask, current_app
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from server.config import ConfigError, PeerLogin, find_peer_login
from server.extensions import attachment_store
from server.transactions import Transactions
from server.words import translator
from sync.central.bridge import Bridge
from sync.central.run import Outcome, exchange, plan
from sync.leases import leave_lease, make_holder, take_lease
from sync.models import Peer, PeerRun
from sync.peer_answers import PeerError
from sync.peer_pace import Pace, Patience
from sync.peers import PeerRefused, add_run, find_last_runs, lease_name
from sync.settings import get_setting

log = logging.getLogger(__name__)

T = TypeVar("T")
# An exchange whose process died is taken up by others after this time; it looks up as often whether it was paused.
TURN = timedelta(minutes=2)
RENEWAL = timedelta(seconds=30)
LOOK = timedelta(seconds=5)
# Somebody sits before the page and waits.
HURRIED = Patience(tries=0, wait_s=15, whole_s=20)


@dataclass(frozen=True, slots=True)
class Project:
    """What a test of a peer finds: its project's name, and how many forms the account may see there."""

    name: str
    forms: int


def run_due(may_go_on: Callable[[], bool]) -> dict[str, Any]:
    """Exchange with every peer whose time has come and that nobody paused; say how it went by name."""
    told: dict[str, Any] = {}
    for peer in Transactions().read(_list_due):
        if may_go_on():
            run = run_exchange(peer, may_go_on)
            told[peer.name] = run.outcome if run is not None else "busy"
    return told


def run_exchange(peer: Peer, may_go_on: Callable[[], bool] = lambda: True) -> PeerRun | None:
    """Exchange with a peer now and write down how it went; None while another process does so."""
    ours, turn = Transactions(), _Turn(peer)
    if not ours.write(turn.take):
        return None
    started = datetime.now(UTC)
    try:
        # It may have been changed while others had their turn before it.
        peer = ours.read(lambda session: session.get_one(Peer, peer.id))
        with turn.renewed(ours):
            outcome = _exchange(peer, lambda: may_go_on() and turn.goes_on(ours))
        return ours.write(lambda session: _write_run(session, peer, started, outcome))
    finally:
        ours.write(turn.leave)


def plan_exchange(peer: Peer, patience: Patience | None = None) -> Outcome:
    """What an exchange would move now, as far as patience reaches; nothing moves."""
    return _at_work(peer, plan, patience or HURRIED)


def try_peer(peer: Peer) -> Project:
    """Reach the peer's project with our account, or raise PeerError or PeerRefused."""

    def look(bridge: Bridge) -> Project:
        project = bridge.client.ask(f"projects/{peer.project_id}")
        forms = bridge.client.ask(bridge.client.path("forms"))
        if not isinstance(project, dict) or not isinstance(forms, list):
            raise PeerError("peer_confused")
        return Project(str(project.get("name")), len(forms))

    return _at_work(peer, look, HURRIED)


class _Turn:
    """The right to exchange with a peer, which one process has at a time, until somebody pauses the peer."""

    def __init__(self, peer: Peer) -> None:
        self._peer_id, self._lease = peer.id, lease_name(peer)
        self._holder = f"{make_holder()}:{uuid4().hex[:8]}"
        self._looked = datetime.now(UTC)

    def take(self, session: Session) -> bool:
        now = datetime.now(UTC)
        return take_lease(session, self._lease, self._holder, now, now + TURN)

    def leave(self, session: Session) -> None:
        leave_lease(session, self._lease, self._holder)

    @contextmanager
    def renewed(self, ours: Transactions) -> Iterator[None]:
        """Keep the turn for as long as this process works on it: one step may wait for its peer longer than a turn."""
        ended = Event()
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        thread = Thread(target=self._renew, args=(ours, app, ended), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _renew(self, ours: Transactions, app: Flask, ended: Event) -> None:
        while not ended.wait(RENEWAL.total_seconds()):
            try:
                with app.app_context():
                    ours.write(self.take)
            except SQLAlchemyError as error:
                log.warning("the turn of %s was not renewed: %s", self._lease, type(error).__name__)

    def goes_on(self, ours: Transactions) -> bool:
        if datetime.now(UTC) - self._looked < LOOK:
            return True
        self._looked = datetime.now(UTC)
        return ours.write(self._is_wanted)

    def _is_wanted(self, session: Session) -> bool:
        paused = session.scalar(select(Peer.paused_at).where(Peer.id == self._peer_id))
        return self.take(session) and paused is None


def _exchange(peer: Peer, may_go_on: Callable[[], bool]) -> Outcome:
    try:
        return _at_work(peer, lambda bridge: exchange(bridge, may_go_on), Patience())
    except PeerRefused as refused:
        return _fail(refused)
    except Exception as error:  # noqa: BLE001 (whatever breaks is shown where people look, and tried again later)
        # The error's text may quote data; its type does not.
        log.error("exchange with %s broke: %s", peer.name, type(error).__name__)
        return _fail(PeerRefused("peer_broken"))


def _fail(refused: PeerRefused) -> Outcome:
    outcome = Outcome(failed=True)
    outcome.note("", refused)
    return outcome


def _get_login(peer: Peer) -> PeerLogin:
    """The account that the peer names, and only where it is for the peer's address; else PeerRefused."""
    found = _find_login(peer.credentials)
    if found is None:
        raise PeerRefused("peer_login_missing", name=peer.credentials, variable=peer.credentials.upper())
    if found.address != peer.address:
        raise PeerRefused("peer_login_elsewhere", name=peer.credentials)
    return found


def _find_login(name: str) -> PeerLogin | None:
    try:
        return find_peer_login(current_app.extensions["teral_settings"], name)
    except ConfigError as error:
        log.error("%s", error)
        return None


def _at_work(peer: Peer, work: Callable[[Bridge], T], patience: Patience) -> T:
    # pyodk brings pydantic with it, a third of a second, and most processes never call another server.
    from sync.peer_client import Login, PeerClient

    found, ours = _get_login(peer), Transactions()
    pace = Pace(ours.read(lambda session: get_setting(session, "peer_rate")))
    login = Login(found.username, found.password)
    client = PeerClient(peer.address, peer.project_id, login, pace, patience)
    try:
        clock = lambda: datetime.now(UTC)  # noqa: E731
        return work(Bridge(peer, client, ours, attachment_store(), clock, translator("fr")))
    finally:
        client.close()


def _write_run(session: Session, peer: Peer, started: datetime, outcome: Outcome) -> PeerRun:
    for problem in outcome.problems:
        log.warning("exchange with %s: %s", peer.name, problem["message"] % problem["params"])
    return add_run(session, peer.id, started, outcome.word, outcome.counts, outcome.problems, datetime.now(UTC))


def _list_due(session: Session) -> list[Peer]:
    every = timedelta(minutes=get_setting(session, "peer_minutes"))
    peers = list(session.scalars(select(Peer).where(Peer.paused_at.is_(None)).order_by(Peer.id)))
    last, now = find_last_runs(session, peers), datetime.now(UTC)
    return [one for one in peers if one.id not in last or now - last[one.id].started_at >= every]
