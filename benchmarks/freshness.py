"""How soon a stay that one tablet opened is in the list that another tablet of its site downloads.

Beside it stand its floor, one post and one download that find nothing to wait for, and ODK Central's median.
"""

import random
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from benchmarks.bench import describe
from benchmarks.driver import Result
from server.config import Settings
from server.tablets.fleet import Plan, make_fleet
from server.tablets.tablet import Tablet
from tests.live import start

CENTRAL_S = 7.0
FORM, LIST, SITE = "f04_arrivee", "dossiers", "CADKR"
_LOOK_S, _PATIENCE_S = 0.01, 30.0


def measure_freshness(settings: Settings, made: dict[str, Any], seconds: float) -> None:
    """Open stays one by one while the job process has nothing else to do."""
    enrolment = next(one for one in made["tablets"] if one["device"] == f"{SITE}-01")
    tablets = make_fleet([enrolment, enrolment], Plan(datetime.now(UTC)))
    for one in tablets:
        one.refresh()
    with _jobs(settings):
        _open_stay(*tablets)  # the job process starts and takes the lead meanwhile
        measured = _repeat(*tablets, seconds=seconds)
    bare = _repeat_bare(tablets[1], seconds=min(seconds, 2.0))
    median = statistics.median(measured.latencies_ms) / 1000
    print(f"{'floor: a download alone':28}{describe(bare)}")
    print(f"{'a new stay is in the list':28}{describe(measured)}")
    ratio = f"Central's {CENTRAL_S:.0f} s are {CENTRAL_S / median:.0f} × as long"
    print(f"{'':28}median {median:.2f} s: {ratio}", flush=True)


def _repeat(writer: Tablet, reader: Tablet, *, seconds: float) -> Result:
    result, until = Result(statuses={}), time.monotonic() + seconds
    while time.monotonic() < until or not result.latencies_ms:
        # At no fixed moment between two looks of the job process.
        time.sleep(random.random() / 2)
        result.latencies_ms.append(_open_stay(writer, reader) * 1000)
    return _complete(result)


def _repeat_bare(reader: Tablet, *, seconds: float) -> Result:
    result, until = Result(statuses={}), time.monotonic() + seconds
    while time.monotonic() < until:
        begun = time.perf_counter()
        reader.refresh()
        result.latencies_ms.append((time.perf_counter() - begun) * 1000)
    return _complete(result)


def _complete(result: Result) -> Result:
    result.count, result.seconds = len(result.latencies_ms), sum(result.latencies_ms) / 1000
    return result


def _open_stay(writer: Tablet, reader: Tablet) -> float:
    """The seconds from the server's 201 until all stays of a record are on the other tablet."""
    before = set(writer.queue.entities.list_offline(LIST))
    writer.fill(FORM, datetime.now(UTC))
    fresh = set(writer.queue.entities.list_offline(LIST)) - before
    if not fresh or writer.send():
        raise RuntimeError("no stay was opened")
    begun = time.perf_counter()
    while not fresh <= set(reader.queue.entities.lists[LIST].entities):
        if time.perf_counter() - begun > _PATIENCE_S:
            raise RuntimeError("the stay never came")
        time.sleep(_LOOK_S)
        reader.refresh()
    return time.perf_counter() - begun


@contextmanager
def _jobs(settings: Settings) -> Iterator[None]:
    process = start(settings, "jobs", "run")
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)
