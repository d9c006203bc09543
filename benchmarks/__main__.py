"""Measure what we claim about speed: python -m benchmarks [--seconds 10] [--rate 200] [sqlite] [postgresql]

Each figure stands beside its floor in the same run, and beside ODK Central's.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import ingest, reads
from benchmarks.bench import CENTRAL_MEMORY_MB, CENTRAL_P95_MS
from tests.postgres import create_database, postgres_cluster


@contextmanager
def databases(kind: str) -> Iterator[list[str]]:
    """Addresses of fresh databases: two for servers, two for floors."""
    if kind == "sqlite":
        yield ["", "", "", ""]
        return
    with postgres_cluster() as url:
        yield [create_database(url, f"bench{number}", "template1") for number in range(4)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("kinds", nargs="*", default=["sqlite", "postgresql"])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=200.0, help="records a second of the sustained run")
    options = parser.parse_args()
    print("Central: ODK Central 2026.2 (four workers), measured on the same kind of machine;")
    print(f"its ingest had a p95 of {CENTRAL_P95_MS:.0f} ms, all of it {CENTRAL_MEMORY_MB} MB of memory.")
    for kind in options.kinds:
        print(f"\n{kind}, 8 connections, {options.seconds:.0f} s each")
        with databases(kind) as urls, tempfile.TemporaryDirectory(prefix="teral-bench-") as name:
            folder = Path(name)
            for part in ("reads", "ingest"):
                (folder / part).mkdir()
            reads.run(folder / "reads", urls[0], urls[1], options.seconds)
            ingest.run(folder / "ingest", urls[2], urls[3], options.seconds, options.rate)


main()
