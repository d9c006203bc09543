"""The shipped forms on tablets, a server and its job process as they are run: nobody settles anything by hand."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from server.cli.setup import set_up
from server.config import Settings
from server.tablets.entities import LocalEntity
from server.tablets.fleet import Plan, make_fleet, work_offline
from server.tablets.tablet import Tablet
from tests.live import demo_settings, serving, start

CENTRE = "CADKR"


@contextmanager
def running(settings: Settings) -> Iterator[None]:
    """`teral serve` and `teral jobs run`, beside each other."""
    with serving(settings):
        jobs = start(settings, "jobs", "run")
        try:
            yield
        finally:
            jobs.terminate()
            jobs.wait(30)


def await_quiet(settings: Settings) -> None:
    """Until the job process has judged whatever came."""
    deadline = time.monotonic() + 60
    with closing(sqlite3.connect(settings.data_path / "teral.db")) as connection:
        while connection.execute("SELECT count(*) FROM submissions WHERE processed_at IS NULL").fetchone()[0]:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def rows(tablet: Tablet) -> dict[str, LocalEntity]:
    return {uuid: row for known in tablet.queue.entities.lists.values() for uuid, row in known.entities.items()}


def ring(settings: Settings, *tablets: Tablet) -> None:
    for one in tablets:
        assert one.send() == 0
    await_quiet(settings)
    for one in tablets:
        one.refresh()
        assert one.faults == []


@pytest.mark.slow
def test_officers_work_offline_for_weeks_and_their_tablets_agree_when_they_ring(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    settings = demo_settings(tmp_path_factory.mktemp("live"))
    made = [one for one in set_up(settings, demo=True)["tablets"] if one["device"].startswith(CENTRE)][:2]
    with running(settings):
        first, second = make_fleet(made, Plan(datetime.now(UTC), seed=3))
        ring(settings, first, second)
        now = datetime.now(UTC)
        first.fill("f04_arrivee", now - timedelta(days=2))
        ring(settings, first, second)
        opened = set(rows(first))
        assert opened == set(rows(second)) != set()
        for week in range(4):
            for tablet in (first, second):
                work_offline(tablet, Plan(now, records=12, edits=0.2, seed=week))
            ring(settings, first, second)
        # Whatever became of each record, no row is ahead of the server, and both tablets hold the same.
        assert [
            uuid for one in (first, second) for uuid, row in rows(one).items() if row.is_dirty or not row.online
        ] == []
        assert {uuid: row.properties for uuid, row in rows(first).items()} == {
            uuid: row.properties for uuid, row in rows(second).items()
        }
