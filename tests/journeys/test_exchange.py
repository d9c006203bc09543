"""A centre that reads a whole ministry's project over a line that breaks: two real servers, five thousand records."""

import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from server import create_app
from server.config import Settings
from server.extensions import attachment_store, db
from server.transactions import Transactions
from sync.attachments import add_blob
from sync.central.bridge import Bridge
from sync.central.run import exchange
from sync.intake import Sender
from sync.models import Submission
from sync.parts import IncomingFile
from sync.peer_client import Login, PeerClient
from sync.peer_pace import Patience
from sync.peers import PeerDetails, add_peer
from sync.publishing import publish_form
from sync.sending import send_edit, send_file, send_record
from tests.accounts import add_account
from tests.live import demo_settings, serving
from tests.sync.central.second_server import EMAIL, LOGIN, LONG_AGO, count_heads, cut_line, records
from tests.sync.factory import form_file, xml

RECORDS, CUTS = 5000, 50


@pytest.fixture
def ministry(tmp_path: Path, sqlite_template: Path) -> Settings:
    """A server with five thousand records, a tenth of them edited, a tenth with a photograph."""
    settings = demo_settings(tmp_path / "ministry")
    settings.data_path.mkdir()
    shutil.copy(sqlite_template, settings.data_path / "teral.db")
    with inside(create_app(settings)) as session:
        actor_id = add_account(session, "exchange", email=EMAIL).actor_id
        publish_form(session, form_file(), {}, None, LONG_AGO)
        rng = random.Random(11)
        for number in range(RECORDS):
            keep(session, number, rng, Sender(actor_id=actor_id))
    return settings


@contextmanager
def inside(app: Flask) -> Iterator[Session]:
    with app.app_context():
        yield db.session()
        db.session.commit()
        db.session.remove()
        db.engine.dispose()


def keep(session: Session, number: int, rng: random.Random, sender: Sender) -> None:
    name, now = f"uuid:{number}", datetime.now(UTC)
    photo = f"{number}.jpg" if number % 10 == 3 else ""
    row = send_record(session, "passage", xml(name, photo=photo), sender, now)
    if photo:
        stored = attachment_store().save(BytesIO(rng.randbytes(rng.randrange(20_000))))
        add_blob(session.connection(), stored, now)
        send_file(session, row, IncomingFile(photo, "image/jpeg", stored), sender, now)
    if number % 10 == 7:
        send_edit(session, row, xml(f"{name}-b", photo=photo, deprecated_id=name), sender, now)
    if number % 500 == 0:
        session.commit()


@pytest.mark.slow
@pytest.mark.both_databases
def test_five_thousand_records_come_over_a_line_that_breaks_fifty_times(
    ministry: Settings, app: Flask, session: Session
) -> None:
    rng = random.Random(13)
    with serving(ministry), cut_line(ministry.base_url, [rng.randrange(200_000) for _ in range(CUTS)]) as line:
        client = PeerClient(line.url, 1, Login(*LOGIN), patience=Patience(2, 0.01))
        ours = Transactions()
        peer = ours.write(lambda inner: add_peer(inner, "ministry", PeerDetails(line.url), None, datetime.now(UTC)))
        bridge = Bridge(peer, client, ours, attachment_store(), lambda: datetime.now(UTC))
        runs = [exchange(bridge)]
        # A record that met the cut is a problem of a run that went on; the next one reads it.
        while runs[-1].word != "done" or runs[-1].problems:
            assert len(runs) < 2 * CUTS
            runs.append(exchange(bridge))
        assert line.cut == CUTS
        again = exchange(bridge)
        client.close()
    assert (again.word, dict(again.counts), again.problems) == ("done", {}, [])
    assert count_heads(session) == RECORDS
    assert len(session.scalars(select(Submission.id)).all()) == RECORDS + RECORDS // 10
    ours_here = records(session, attachment_store())
    with inside(create_app(ministry)) as theirs:
        assert ours_here == records(theirs, attachment_store())
