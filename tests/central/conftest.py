"""The real Central for whoever tests against it, a project of its own for each test, and the bridge to it."""

import itertools
import os
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
from tests.central.backend import EMAIL, PASSWORD, Central, Project, central_backend

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def central() -> Iterator[Central]:
    folder = os.environ.get("TERAL_TEST_CENTRAL")
    assert folder, "TERAL_TEST_CENTRAL must name a checkout of ODK Central's backend (see tests/central/backend.py)"
    with central_backend(Path(folder)) as running:
        yield running


@pytest.fixture
def project(central: Central) -> Project:
    return central.add_project(f"Test {next(_numbers)}")


Connect = Callable[..., Bridge]


@pytest.fixture
def connect(app: Flask, central: Central, project: Project) -> Iterator[Connect]:
    """A bridge to the project, or to the line that leads there; further facts are a peer's."""
    clients: list[PeerClient] = []

    def make(url: str = "", name: str = "ministry", **facts: Any) -> Bridge:
        address = url or central.url
        details = PeerDetails(address, **{"project": str(project.id), **facts})
        ours, store = Transactions(), attachment_store()
        peer = ours.write(lambda inner: add_peer(inner, name, details, None, datetime.now(UTC)))
        login = Login(EMAIL, PASSWORD)
        clients.append(PeerClient(address, peer.project_id, login, patience=Patience(2, 0.001)))
        return Bridge(peer, clients[-1], ours, store, lambda: datetime.now(UTC), translator("fr"))

    yield make
    for one in clients:
        one.close()
