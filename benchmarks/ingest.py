"""Ingest: acknowledged a second with and without the record's file, duplicates, time until all is merged, sustained."""

import time
from pathlib import Path

from sqlalchemy import create_engine, func, select

from benchmarks.bench import Bench, bench, compare, describe_usage, write_post
from benchmarks.driver import Load, Result, drive
from benchmarks.floor import floor
from benchmarks.usage import measure
from server.config import Settings
from sync.models import Submission
from tests.live import start


def run(folder: Path, database_url: str, floor_url: str, seconds: float, rate: float) -> None:
    with bench(folder / "server", database_url) as one:
        request, uuid = write_post(one, with_file=False)
        bottom = _floor(folder / "floor", floor_url, request, uuid, seconds)
        _acknowledge(one, "ingest", request, uuid, seconds, bottom)
        whole, whole_uuid = write_post(one, with_file=True)
        _acknowledge(one, "ingest: with its audit file", whole, whole_uuid, seconds, bottom)
        print(compare("duplicates", drive(Load(one.settings.port, [request], seconds)), bottom))
        _merge_all(one)
        _sustain(one, request, uuid, seconds, rate)


def _floor(folder: Path, database_url: str, request: bytes, uuid: bytes, seconds: float) -> Result:
    folder.mkdir()
    with floor(folder, database_url) as port:
        drive(Load(port, [request], 0.5, uuid))
        return drive(Load(port, [request], seconds, uuid))


def _acknowledge(one: Bench, name: str, request: bytes, uuid: bytes, seconds: float, bottom: Result) -> None:
    drive(Load(one.settings.port, [request], 0.5, uuid))
    before = measure(one.pid)
    result = drive(Load(one.settings.port, [request], seconds, uuid))
    print(compare(name, result, bottom))
    print(describe_usage(measure(one.pid) - before, result))


def _merge_all(one: Bench) -> None:
    """Start the job process on what has come so far and wait until nothing is left."""
    waiting, begun = count_waiting(one.settings), time.monotonic()
    jobs = start(one.settings, "jobs", "run")
    try:
        while count_waiting(one.settings):
            if jobs.poll() is not None:
                raise RuntimeError("the job process ended by itself")
            time.sleep(0.2)
        took = time.monotonic() - begun
        print(f"{'merged':28}{waiting / took:8.0f}/s   {waiting} records judged and merged in {took:.1f} s")
    finally:
        jobs.terminate()
        jobs.wait(30)


def _sustain(one: Bench, request: bytes, uuid: bytes, seconds: float, rate: float) -> None:
    """Records come at a given rate for twice as long, while the job process judges and merges them."""
    jobs = start(one.settings, "jobs", "run")
    try:
        time.sleep(2)
        before = measure(one.pid, jobs.pid)
        result = drive(Load(one.settings.port, [request], 2 * seconds, uuid, rate=rate))
        left, used = count_waiting(one.settings), measure(one.pid, jobs.pid) - before
        print(compare("sustained", result))
        print(f"{describe_usage(used, result)} (web and jobs), {left} records not merged when the last one came")
    finally:
        jobs.terminate()
        jobs.wait(30)


def count_waiting(settings: Settings) -> int:
    engine = create_engine(settings.sqlalchemy_url)
    with engine.connect() as connection:
        count = connection.scalar(select(func.count()).where(Submission.processed_at.is_(None))) or 0
    engine.dispose()
    return int(count)
