"""How long a new record takes to find its person: python -m benchmarks.linkage_online [sqlite] [postgresql]

For one new record in a registry of so many: its keys looked up, all candidates weighed, the best of them explained.
The floor beside it is the look-up of the keys alone, in the same run. Then single records and 500 of one sync, folded
into the registry in the pieces in which they are processed: everything from the pairs to the questions, committed. With
--linked all records that are there are linked before, so that whoever comes meets persons, rivals and questions. The
model is the one that ships, but that it leaves out the keys which training on such a registry finds too common. Aims:
p95 below 1.5 ms at 100,000 records and 10 ms at 1,000,000; 500 records in less than a second.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, insert
from sqlalchemy.orm import Session

from benchmarks.linkage_rows import FORM, NOW, fold_registry, load_registry, make_people, make_submission
from forms.records import PersonRecord as PersonValues
from server.database import migrate
from server.processing import Pace
from sync.db import begin_write, prepare_sqlite
from sync.link_models import Linking, list_linkings
from sync.link_rows import find_candidates, read_features
from sync.linkage.blocking import find_keys
from sync.linkage.explain import explain
from sync.linkage.features import Features
from sync.linkage.record import LinkRecord
from sync.models import Submission
from sync.registry import Contribution, fold_family, lock_registry
from tests.postgres import create_database, postgres_cluster

KINDS = ("sqlite", "postgresql")
AIMS_MS = {100_000: 1.5, 1_000_000: 10.0}
PROBES, SYNC = 1000, 500
# Nobody is known by this number: the record that is looked up is not in the registry.
_NEW = -1


@contextmanager
def open_engine(kind: str) -> Iterator[Engine]:
    """A fresh, migrated database."""
    if kind == "postgresql":
        with postgres_cluster() as url:
            engine = create_engine(create_database(url, "bench", "template1"))
            migrate(engine)
            yield engine
            engine.dispose()
        return
    with tempfile.TemporaryDirectory(prefix="teral-bench-") as folder:
        engine = create_engine(f"sqlite:///{Path(folder) / 'bench.db'}")
        prepare_sqlite(engine)
        migrate(engine)
        yield engine
        engine.dispose()


def look_up(connection: Connection, linking: Linking, features: Features) -> set[int]:
    """The floor: whom the record's keys meet."""
    keys = find_keys(features, linking.model.too_common)
    return {other for _, other in find_candidates(connection, linking.model_id, {_NEW: keys})}


def find_person(connection: Connection, linking: Linking, record: LinkRecord) -> int:
    """All of it: cleaned, looked up, weighed, the best explained; return how many candidates there were."""
    features = linking.model.cleaner.clean(record)
    known = read_features(connection, look_up(connection, linking, features))
    weighed = [(linking.scorer.compare(features, one, linking.least), number) for number, one in known.items()]
    if weighed:
        explain(linking.scorer, features, known[max(weighed)[1]])
    return len(known)


def measure(work: Callable[[Any], object], records: Sequence[Any]) -> list[float]:
    """Milliseconds of each."""
    taken = []
    for one in records:
        begun = time.perf_counter()
        work(one)
        taken.append((time.perf_counter() - begun) * 1000)
    return taken


def show(name: str, taken: Sequence[float], floor: Sequence[float] | None = None) -> float:
    """Print median, p95 and p99, and how many floors the p95 is; return the p95."""
    cuts = quantiles(taken, n=100)
    beside = f"   {cuts[94] / quantiles(floor, n=100)[94]:.1f} × floor" if floor else ""
    print(
        f"{name:34}median {median(taken):7.2f} ms   p95 {cuts[94]:7.2f} ms   p99 {cuts[98]:7.2f} ms{beside}", flush=True
    )
    return cuts[94]


def measure_one(engine: Engine, probes: Sequence[LinkRecord], records: int) -> None:
    with engine.connect() as connection:
        linking = list_linkings(connection, NOW)[0]
        cleaned = {one.record_id: linking.model.cleaner.clean(one) for one in probes}
        floor = measure(lambda one: look_up(connection, linking, cleaned[one.record_id]), probes)
        counts: list[int] = []
        whole = measure(lambda one: counts.append(find_person(connection, linking, one)), probes)
        show("floor: the keys looked up", floor)
        p95 = show("found, weighed, explained", whole, floor)
        print(f"{'candidates':34}median {median(counts):7.0f}      p95 {quantiles(counts, n=20)[18]:7.0f}")
        if records in AIMS_MS:
            print(f"{'aim':34}{AIMS_MS[records]} ms, {p95 / AIMS_MS[records]:.2f} of it")


def measure_arrivals(engine: Engine, people: Sequence[LinkRecord], first: int) -> None:
    """Fold one record after another, as when tablets bring them one at a time."""
    left = _send(engine, people, first)
    show("one record, folded and committed", measure(lambda one: _fold(engine, [one]), left))


def measure_sync(engine: Engine, people: Sequence[LinkRecord], first: int) -> None:
    """Fold as many records as a tablet brings after a week, in the pieces in which they are processed."""
    left, pace = _send(engine, people, first), Pace(engine.dialect.name)
    begun = time.perf_counter()
    while left:
        group, left = left[: pace.size], left[pace.size :]
        _fold(engine, group, pace)
    taken = time.perf_counter() - begun
    print(
        f"{f'{len(people)} records of one sync':34}{taken:.2f} s, {taken * 1000 / len(people):.2f} ms a record",
        flush=True,
    )


def _send(engine: Engine, people: Sequence[LinkRecord], first: int) -> list[Contribution]:
    """The records as they come out of submissions that have arrived."""
    with engine.connect().execution_options(write=True) as connection, connection.begin():
        connection.execute(insert(Submission), [make_submission(first + place) for place in range(len(people))])
    return [_contribution(first + place, one) for place, one in enumerate(people)]


def _fold(engine: Engine, group: Sequence[Contribution], pace: Pace | None = None) -> None:
    with Session(engine) as session:
        begin_write(session)
        lock_registry(session)
        fold_family(session, [one.submission_id for one in group], group, NOW)
        if pace:
            pace.keep(session)
        session.commit()


def _contribution(number: int, one: LinkRecord) -> Contribution:
    person = PersonValues(
        path="/data", position=1, family_name=one.family_name, given_names=one.given_name, sex=one.sex,
        birth_date=one.birth_date,
        age=one.age, nationality=one.nationality, birth_place=one.birth_place, mother_name=one.mother_name,
        phone=one.phone, document_type=one.document_type, document_number=one.document_number,
    )  # fmt: skip
    return Contribution(number, FORM, f"uuid:{number}", None, NOW, [person])


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.linkage_online",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, []], metavar="DATABASE")
    parser.add_argument("--records", nargs="*", type=int, default=list(AIMS_MS))
    parser.add_argument("--linked", action="store_true", help="link all records that are there before")
    options = parser.parse_args()
    for records in options.records:
        people = make_people(records + PROBES + SYNC, seed=11)
        probes = people[records:][:PROBES]
        for kind in options.kinds or KINDS:
            with open_engine(kind) as engine:
                begun = time.perf_counter()
                load_registry(engine, people[:records])
                if options.linked:
                    fold_registry(engine)
                print(f"\n{kind}, {records} records, loaded in {time.perf_counter() - begun:.0f} s", flush=True)
                measure_one(engine, probes, records)
                measure_arrivals(engine, probes, records + 1)
                measure_sync(engine, people[-SYNC:], records + PROBES + 1)


if __name__ == "__main__":
    main()
