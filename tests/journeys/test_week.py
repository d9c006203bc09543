"""Days without a network at ten tablets, then everything at once, twice and in the wrong order.

What may arrive badly does: answers get lost, connections die, records come again, edits come before what they edit.
Three days show each of it; a whole week is lived by `make test-slow`.
"""

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from server import create_app
from server.cli.setup import set_up
from server.config import Settings
from server.extensions import db
from server.processing import process_pending
from server.tablets.fleet import Plan, make_fleet, work_offline
from server.tablets.queue import Record
from server.tablets.tablet import Tablet
from sync.models import Submission
from sync.policy import programme
from sync.registry import registry_digest
from tests.live import demo_settings, moved, serving

PLAN = Plan(until=datetime.now(UTC), records=2, edits=0.15, lost_answers=0.1, cuts=0.1, seed=7)


@dataclass
class Row:
    instance_id: str
    state: str
    reason: str | None
    is_twin: bool
    xml: bytes


@dataclass
class Arrived:
    """What a server holds after everything came and was judged."""

    rows: list[Row]
    digest: str
    days: int
    sent: list[Record]
    twin: bytes


@pytest.fixture(
    scope="module", params=[pytest.param(3, id="three days"), pytest.param(7, id="a week", marks=pytest.mark.slow)]
)
def week(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Arrived, Arrived]]:
    """The same days at two servers: the second is a copy made before anything arrived."""
    plan = replace(PLAN, days=request.param)
    first = demo_settings(tmp_path_factory.mktemp("first"))
    tablets = make_fleet(set_up(first, demo=True)["tablets"], plan)
    second = moved(first, Path(shutil.copytree(first.data_dir, tmp_path_factory.mktemp("second") / "var")))
    with serving(first):
        for tablet in tablets:
            tablet.refresh()
            work_offline(tablet, plan)
        arrived = deliver(first, tablets, plan.days, Random(1))
    with serving(second):
        for tablet in tablets:
            tablet.server_url = tablet.server_url.replace(first.base_url, second.base_url)
        yield arrived, deliver(second, tablets, plan.days, Random(2))


def deliver(settings: Settings, tablets: list[Tablet], days: int, rng: Random) -> Arrived:
    """Send all records in a random order over bad links, some again, and one with other content under its id."""
    waiting = [(tablet, record) for tablet in tablets for record in tablet.queue.records]
    rng.shuffle(waiting)
    for tablet, record in waiting:
        insist(tablet, record)
        if rng.random() < 0.2:
            insist(tablet, record)
    tablet, record = next((t, r) for t in tablets for r in t.queue.records)
    other = replace(record, xml=record.xml.replace(b"<username>", b"<username>autre "))
    insist(tablet, other)
    return Arrived(*judge(settings), days, [one for _, one in waiting], other.xml)


def insist(tablet: Tablet, record: Record) -> None:
    for _ in range(50):
        if not tablet.deliver(record):
            return
    raise AssertionError(f"never sent: {record.status} {record.message}")


def judge(settings: Settings) -> tuple[list[Row], str]:
    with create_app(settings).app_context():
        process_pending()
        rows = [
            Row(one.instance_id, one.state, one.reason, one.twin_of_id is not None, one.xml)
            for one in db.session.scalars(select(Submission))
        ]
        digest = registry_digest(db.session())
        db.session.remove()
        db.engine.dispose()
    return rows, digest


@pytest.fixture(params=[0, 1], ids=["first server", "second server"])
def arrived(week: tuple[Arrived, Arrived], request: pytest.FixtureRequest) -> Arrived:
    return week[request.param]


def test_every_record_is_there_once_and_byte_for_byte(arrived: Arrived) -> None:
    kept = Counter((row.instance_id, row.xml) for row in arrived.rows if not row.is_twin)
    assert kept == Counter({(one.instance_id, one.xml): 1 for one in arrived.sent})
    assert len(arrived.sent) > 15 * arrived.days


def test_one_twin_counts_and_the_other_waits_for_a_human(arrived: Arrived) -> None:
    """Which one is decided by their digests and not by who came first, so that both servers agree."""
    ranked = sorted(_twins(arrived), key=lambda row: sha256(row.xml).hexdigest())
    assert [(row.state, row.reason) for row in ranked] == [("merged", None), ("quarantined", "twin")]
    assert arrived.twin in [row.xml for row in ranked]


def test_everything_else_is_merged(arrived: Arrived) -> None:
    twins = _twins(arrived)
    assert {(row.state, row.reason) for row in arrived.rows if row not in twins} == {("merged", None)}


def _twins(arrived: Arrived) -> list[Row]:
    twice = [row.instance_id for row in arrived.rows if row.is_twin]
    return [row for row in arrived.rows if row.instance_id in twice]


def test_registry_is_the_same_in_whatever_order_records_came(week: tuple[Arrived, Arrived]) -> None:
    first, second = week
    assert first.digest == second.digest
    assert len(first.rows) == len(second.rows)


def test_week_was_as_bad_as_it_was_meant_to_be(arrived: Arrived) -> None:
    edits = [one for one in arrived.sent if one.deprecated_id]
    assert len(edits) > arrived.days
    assert {one.form_id for one in arrived.sent} == set(programme().forms)
