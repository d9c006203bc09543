"""Ingest: acknowledged a second with and without the record's file, duplicates, time until all is merged, sustained."""

import time
from pathlib import Path

from sqlalchemy import create_engine, func, select

from benchmarks.bench import Bench, Figure, bench, measured, show, write_post
from benchmarks.driver import Load, drive
from benchmarks.floor import floor
from benchmarks.usage import measure
from server.config import Settings
from sync.models import Submission
from tests.live import start


def run(folder: Path, database_url: str, floor_url: str, seconds: float, rate: float) -> None:
    with bench(folder / "server", database_url) as one:
        request, uuid = write_post(one, with_file=False)
        whole, whole_uuid = write_post(one, with_file=True)
        bottom = _floor(folder / "floor", floor_url, request, uuid, seconds)
        show("floor: one insert", bottom)
        show("ingest", _acknowledge(one, request, uuid, seconds), bottom)
        show("ingest: with its audit file", _acknowledge(one, whole, whole_uuid, seconds), bottom)
        show("duplicates", measured(Load(one.settings.port, [request], seconds), one.pid), bottom)
        _merge_all(one)
        _sustain(one, request, uuid, seconds, rate)


def _floor(folder: Path, database_url: str, request: bytes, uuid: bytes, seconds: float) -> Figure:
    folder.mkdir()
    with floor(folder, database_url) as (port, pid):
        drive(Load(port, [request], 0.5, uuid))
        return measured(Load(port, [request], seconds, uuid), pid)


def _acknowledge(one: Bench, request: bytes, uuid: bytes, seconds: float) -> Figure:
    drive(Load(one.settings.port, [request], 0.5, uuid))
    return measured(Load(one.settings.port, [request], seconds, uuid), one.pid)


def _merge_all(one: Bench) -> None:
    """Start the job process on what has come so far and wait until nothing is left."""
    waiting, begun = count_waiting(one.settings), time.monotonic()
    jobs = start(one.settings, "jobs", "run")
    before = measure(jobs.pid)
    try:
        while count_waiting(one.settings):
            if jobs.poll() is not None:
                raise RuntimeError("the job process ended by itself")
            time.sleep(0.2)
        took, used = time.monotonic() - begun, measure(jobs.pid) - before
        print(f"{'merged':28}{waiting / took:8.0f}/s   {waiting} records judged and merged in {took:.1f} s")
        print(f"{'':28}{used.cpu_s * 1000 / waiting:8.2f} ms CPU a record, memory {used.memory_mb:.0f} MB", flush=True)
    finally:
        jobs.terminate()
        jobs.wait(30)


def _sustain(one: Bench, request: bytes, uuid: bytes, seconds: float, rate: float) -> None:
    """Records come at a given rate for twice as long, while the job process judges and merges them."""
    jobs = start(one.settings, "jobs", "run")
    try:
        time.sleep(2)
        figure = measured(Load(one.settings.port, [request], 2 * seconds, uuid, rate=rate), one.pid, jobs.pid)
        left = count_waiting(one.settings)
        show("sustained", figure)
        print(f"{'':28}web and jobs together; {left} records not merged when the last one came", flush=True)
    finally:
        jobs.terminate()
        jobs.wait(30)


def count_waiting(settings: Settings) -> int:
    engine = create_engine(settings.sqlalchemy_url)
    with engine.connect() as connection:
        count = connection.scalar(select(func.count()).where(Submission.processed_at.is_(None))) or 0
    engine.dispose()
    return int(count)
