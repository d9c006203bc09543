"""The real ODK Central as the peer in the same run, where TERAL_TEST_CENTRAL names one (tests/central/backend.py)."""

import os
import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from server.tablets.queue import Record
from tests.central.backend import Project, central_backend

_INSTANCE = re.compile(rb"(?<=instanceID>)[^<]+")


@contextmanager
def central_beside(form: bytes, samples: Sequence[Record], count: int) -> Iterator[Project | None]:
    """A project with this form and so many records of it, the samples over and over; None where there is no Central.

    Files come with the first sample alone, as ours are filled in.
    """
    folder = os.environ.get("TERAL_TEST_CENTRAL")
    if not folder:
        yield None
        return
    with central_backend(Path(folder)) as central:
        project = central.add_project("Benchmark")
        project.publish(form)

        def send(number: int) -> None:
            sample = samples[number % len(samples)]
            files = sample.files if sample is samples[0] else None
            project.send(_INSTANCE.sub(f"uuid:bench-{number}".encode(), sample.xml, count=1), files)

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(send, range(count)))
        yield project


def time_of(project: Project, path: str) -> float:
    """The shortest of three times that a body takes to come."""
    taken = []
    for _ in range(3):
        begun = time.perf_counter()
        project.call("GET", f"forms/{path}")
        taken.append(time.perf_counter() - begun)
    return min(taken)
