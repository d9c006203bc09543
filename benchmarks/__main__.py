"""Measure what we claim about speed: python -m benchmarks [PART…] [sqlite] [postgresql]

Parts: reads, ingest, commits, entities, exports, rest, lookup, review. Without words: all of it, on both databases.
Each figure stands beside its floor in the same run (a bare stub of the same WSGI server, one committed insert), and
beside ODK Central's.
`python -m benchmarks.validate` measures judging.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks import commits, entities, exports, ingest, lookup, reads, rest, review
from benchmarks.bench import CENTRAL_MEMORY_MB, CENTRAL_P95_MS
from tests.postgres import create_database, postgres_cluster

PARTS: dict[str, Callable[..., None]] = {
    "reads": reads.run,
    "ingest": ingest.run,
    "commits": commits.run,
    "entities": entities.run,
    "exports": exports.run,
    "rest": rest.run,
    "lookup": lookup.run,
    "review": review.run,
}
KINDS = ("sqlite", "postgresql")


@contextmanager
def databases(kind: str) -> Iterator[list[str]]:
    """Addresses of fresh databases, two for each part: one for the server and one for its floor."""
    if kind == "sqlite":
        yield [""] * 2 * len(PARTS)
        return
    with postgres_cluster() as url:
        yield [create_database(url, f"bench{number}", "template1") for number in range(2 * len(PARTS))]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("words", nargs="*", choices=[*PARTS, *KINDS, []], metavar="WORD", help="parts and databases")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each measurement")
    parser.add_argument("--rate", type=float, default=200.0, help="records a second of the sustained run")
    parser.add_argument("--entities", type=int, default=entities.ENTITIES, help="rows of the one list")
    parser.add_argument("--people", type=int, default=lookup.RECORDS, help="person records to look up in")
    parser.add_argument("--linked", type=int, default=review.RECORDS, help="person records behind the open questions")
    parser.add_argument("--records", type=int, default=exports.MANY, help="of the largest export")
    options = parser.parse_args()
    PARTS["entities"] = partial(entities.run, total=options.entities)
    PARTS["lookup"] = partial(lookup.run, total=options.people)
    PARTS["review"] = partial(review.run, total=options.linked)
    PARTS["exports"] = partial(exports.run, many=options.records)
    parts = [name for name in PARTS if name in options.words] or list(PARTS)
    kinds = [name for name in KINDS if name in options.words] or KINDS
    print("Central: ODK Central 2026.2 (four workers), measured on the same kind of machine;")
    print(f"its ingest had a p95 of {CENTRAL_P95_MS:.0f} ms, all of it {CENTRAL_MEMORY_MB} MB of memory.")
    begun = time.monotonic()
    for kind in kinds:
        print(f"\n{kind}, 8 connections, {options.seconds:.0f} s each", flush=True)
        with databases(kind) as urls, tempfile.TemporaryDirectory(prefix="teral-bench-") as folder:
            for name in parts:
                place = Path(folder) / name
                place.mkdir()
                PARTS[name](place, urls.pop(), urls.pop(), options.seconds, options.rate)
    print(f"\n{time.monotonic() - begun:.0f} s in all")


main()
