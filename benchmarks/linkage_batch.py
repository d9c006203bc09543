"""How fast a whole registry is weighed anew: python -m benchmarks.linkage_batch [--records N] [--kept FOLDER]

Invented records of benchmarks/regional, cleaned before the clock starts, by the model that ships. Teral's batch runs in
a process of its own, whose highest memory is told. Beside it the floor: DuckDB alone reads the same two files and finds
the same pairs, but weighs none. With --kept the cleaned records are left in a folder for the next run.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import duckdb

from benchmarks.regional.recording import make_records
from sync.linkage.batch import KEYS, RECORDS, render_pairs, weigh_with_duckdb, write_input
from sync.linkage.model import default_model
from sync.linkage.record import parse_record


def clean(folder: Path, records: int) -> None:
    """The input of a batch, unless it is there."""
    if (folder / KEYS).exists():
        return
    started = time.monotonic()
    rows, _ = make_records(records, seed=1)
    write_input(folder, default_model(), map(parse_record, rows))
    print(f"{records} records invented and cleaned in {time.monotonic() - started:.0f} s (not counted)", flush=True)


def weigh(folder: Path, records: int) -> int:
    return sum(1 for _ in weigh_with_duckdb(folder, default_model(), records))


def find_pairs(folder: Path, records: int) -> int:
    """The floor: both files read, and the pairs that have a key in common counted."""
    with duckdb.connect(config={"temp_directory": str(folder)}) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"CREATE TABLE link_records AS FROM read_parquet('{folder / RECORDS}')")
        connection.execute(f"CREATE TABLE link_keys AS FROM read_parquet('{folder / KEYS}')")
        [(count,)] = connection.execute(f"SELECT count(*) FROM ({render_pairs(records)})").fetchall()
        return int(count)


def measure(work: Callable[[Path, int], int], folder: Path, records: int) -> tuple[int, float, float, float]:
    """What the work counted, its seconds, those of processors, and the megabytes that its process held at most."""
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_run, args=(work, folder, records, there))
    process.start()
    answer: tuple[int, float, float, float] = here.recv()
    process.join()
    return answer


def _run(work: Callable[[Path, int], int], folder: Path, records: int, answer: Connection) -> None:
    started = time.monotonic()
    counted = work(folder, records)
    answer.send((counted, time.monotonic() - started, time.process_time(), read_peak()))


def read_peak() -> float:
    """The megabytes that this process has held at most; getrusage would count those of the one that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def run(folder: Path, records: int) -> None:
    clean(folder, records)
    pairs, floor, cpu, megabytes = measure(find_pairs, folder, records)
    print(f"floor: {pairs} pairs found in {floor:.1f} s ({cpu:.1f} s CPU), {megabytes:.0f} MB", flush=True)
    heavy, seconds, cpu, megabytes = measure(weigh, folder, records)
    print(f"Teral: {heavy} of them weigh enough; {seconds:.1f} s ({cpu:.1f} s CPU), {megabytes:.0f} MB")
    print(f"{seconds / floor:.1f} × the floor")
    print("aims for 1,000,000 records: 45 s, 4096 MB")


def start(name: str, description: str | None, run: Callable[[Path, int], None]) -> None:
    """Run with so many records in the folder that the command line tells, which is kept, or in a passing one."""
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--kept", type=Path, help="a folder for the records, to be found there the next time")
    options = parser.parse_args()
    if options.kept:
        options.kept.mkdir(parents=True, exist_ok=True)
        run(options.kept, options.records)
        return
    with tempfile.TemporaryDirectory(prefix="teral-bench-") as folder:
        run(Path(folder), options.records)


if __name__ == "__main__":
    start("linkage_batch", __doc__, run)
