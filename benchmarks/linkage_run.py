"""What `teral link run` takes on a large registry: python -m benchmarks.linkage_run [--records N] [--kept FOLDER]

A registry on SQLite of invented records (benchmarks/regional), with their identities, keys, and the pairs that a run
finds, as if each record had been linked when it came. The command's own function runs in a process of its own: seconds
of each step and the highest memory until its end. Beside it two floors: reading the records, and weighing alone of
input that was cleaned before. With --kept the registry is left in a folder for the next run.
"""

import logging
import time
from pathlib import Path

from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from benchmarks.entity_rows import open_engine
from benchmarks.linkage_batch import measure, read_peak, start
from benchmarks.linkage_rows import load_registry, make_people
from server import create_app
from server.cli.setup import set_up
from server.database import migrate
from server.linking import run_registry
from sync.link_models import find_linking
from sync.link_runs import read_records
from sync.linkage.batch import weigh_with_duckdb, write_input
from sync.linkage.model import parse_model
from sync.models import LinkMember, LinkPair, Person
from tests.live import demo_settings

_AT_ONCE = 100_000
_MODEL = "model.json"


class Steps(logging.Handler):
    """Prints each step of a run: its seconds, those of processors, and the megabytes held at most until its end."""

    def __init__(self) -> None:
        super().__init__()
        self._since, self._worked = time.monotonic(), time.process_time()

    def emit(self, record: logging.LogRecord) -> None:
        now, worked = time.monotonic(), time.process_time()
        took = f"{now - self._since:7.1f} s ({worked - self._worked:6.1f} s CPU)"
        print(f"  {record.getMessage():55}{took}{read_peak():8.0f} MB", flush=True)
        self._since, self._worked = now, worked


def load(folder: Path, records: int) -> None:
    """A registry of so many records, with the cleaned input of its batch, as far as they are not there."""
    started, settings = time.monotonic(), demo_settings(folder / "server")
    engine = open_engine(settings.sqlalchemy_url)
    if not settings.data_path.exists():
        set_up(settings, demo=False)
        load_registry(engine, make_people(records, seed=1))
    migrate(engine)
    if not (folder / _MODEL).exists():
        _write_pairs(engine, folder)
    print(f"{records} records written in {time.monotonic() - started:.0f} s (not counted)", flush=True)


def _write_pairs(engine: Engine, folder: Path) -> None:
    """Each pair of identities once both ways round, as a run finds them."""
    with Session(engine) as session:
        linking = find_linking(session)
        if linking is None:
            raise LookupError("The registry is empty.")
        ids = write_input(folder, linking.model, read_records(session))
        prior = linking.scorer.prior_bits
        members = (
            select(Person.reference, LinkMember.identity_id)
            .join(LinkMember, LinkMember.home_id == Person.id)
            .where(LinkMember.model_id == linking.model_id)
        )
        identity_of = {row.reference: row.identity_id for row in session.execute(members)}
    weighed = weigh_with_duckdb(folder, linking.model, len(ids))
    known = {(identity_of[ids[one]], identity_of[ids[other]]): bits - prior for one, other, bits in weighed}
    known |= {(other, one): bits for (one, other), bits in known.items()}
    rows = [
        {"one_id": one, "other_id": other, "bits": bits, "corroborated": False, "conflict": False}
        for (one, other), bits in sorted(known.items())
        if one != other
    ]
    with engine.connect().execution_options(write=True) as connection, connection.begin():
        for start in range(0, len(rows), _AT_ONCE):
            connection.execute(insert(LinkPair), rows[start : start + _AT_ONCE])
    (folder / _MODEL).write_text(linking.model.to_json(), encoding="utf-8")


def read(folder: Path, _records: int) -> int:
    """The floor of the first step."""
    with Session(open_engine(demo_settings(folder / "server").sqlalchemy_url)) as session:
        return sum(1 for _ in read_records(session))


def weigh(folder: Path, records: int) -> int:
    """The floor of the whole run."""
    model = parse_model((folder / _MODEL).read_text(encoding="utf-8"))
    return sum(1 for _ in weigh_with_duckdb(folder, model, records))


def run_command(folder: Path, _records: int) -> int:
    log = logging.getLogger("sync.link_runs")
    log.setLevel(logging.INFO)
    with create_app(demo_settings(folder / "server")).app_context():
        log.addHandler(Steps())
        found = run_registry()
    return found.pairs if found else 0


def run(folder: Path, records: int) -> None:
    load(folder, records)
    counted, seconds, _, megabytes = measure(read, folder, records)
    print(f"floor: {counted} records read in {seconds:.1f} s, {megabytes:.0f} MB", flush=True)
    pairs, floor, _, megabytes = measure(weigh, folder, records)
    print(f"floor: {pairs} pairs weighed in {floor:.1f} s, {megabytes:.0f} MB", flush=True)
    _, seconds, cpu, megabytes = measure(run_command, folder, records)
    print(
        f"teral link run: {seconds:.1f} s ({cpu:.1f} s CPU), {megabytes:.0f} MB; {seconds / floor:.1f} × weighing alone"
    )
    print("aim for 1,000,000 records: 4096 MB, and a fraction of a night")


if __name__ == "__main__":
    start("linkage_run", __doc__, run)
