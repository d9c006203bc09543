"""A second server beside the application of the test, and the bridge to it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from server.extensions import attachment_store
from server.transactions import Transactions
from server.words import translator
from sync.central.bridge import Bridge
from sync.peer_client import Login, PeerClient
from sync.peer_pace import Patience
from sync.peers import PeerDetails, add_peer
from tests.sync.central.second_server import LOGIN, SecondServer, second_server


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecondServer]:
    with second_server(tmp_path_factory.mktemp("there")) as server:
        yield server


@pytest.fixture
def there(running: SecondServer, sqlite_template: Path) -> SecondServer:
    running.begin_anew(sqlite_template)
    return running


Connect = Callable[..., Bridge]


@pytest.fixture
def connect(app: Flask, there: SecondServer) -> Iterator[Connect]:
    """A bridge to the second server, or to the line that leads there; further facts are a peer's."""
    clients: list[PeerClient] = []

    def make(url: str = "", name: str = "ministry", **facts: Any) -> Bridge:
        address = url or there.url
        details, now = PeerDetails(address, **facts), datetime.now(UTC)
        ours, store = Transactions(), attachment_store()
        peer = ours.write(lambda inner: add_peer(inner, name, details, None, now))
        clients.append(PeerClient(address, 1, Login(*LOGIN), patience=Patience(2, 0.001)))
        return Bridge(peer, clients[-1], ours, store, lambda: datetime.now(UTC), translator("fr"))

    yield make
    for one in clients:
        one.close()
