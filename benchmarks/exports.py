"""Exports at size: OData, CSV, zip, Parquet and XLSX of 10,000 records, and of a million in constant memory; resumed.

The floor is what nobody can avoid: the kept rows read from the same database and put one after the other, in process.
Where TERAL_TEST_CENTRAL names ODK Central, it answers the same requests about the same records in the same run.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

import urllib3
from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from benchmarks.bench import Bench, bench
from benchmarks.central import central_beside, time_of
from benchmarks.entity_rows import analyse, open_engine
from benchmarks.usage import measure
from forms.definition import FormDefinition
from forms.submission import parse_submission
from forms.tables import TableRow, flatten
from server.accounts.programs import issue_token
from server.accounts.users import add_user
from server.tablets.tablet import Tablet
from sync.answers import write_answers
from sync.db import begin_write
from sync.models import AnswerRow, Submission
from sync.publishing import find_newest, get_definition

FORM = "f02_passage"
FEW, MANY = 10_000, 1_000_000
_BATCH = 5000
# ODK Central 2026.2, 10,000 records, the same kind of machine.
CENTRAL_S = {"OData": 2.1, "CSV": 1.6}
_CASES = {
    "OData": f"{FORM}.svc/Submissions", "CSV": f"{FORM}/submissions.csv",
    "CSV in a zip": f"{FORM}/submissions.csv.zip?attachments=false", "Parquet": f"{FORM}/submissions.parquet",
    "XLSX": f"{FORM}/submissions.xlsx",
}  # fmt: skip


@dataclass(frozen=True)
class Fetched:
    """How long a body took, by the clock and of the server's processor; its first byte, length, and most memory."""

    seconds: float
    cpu_s: float
    first_ms: float
    size: int
    memory_mb: float
    etag: str


def run(folder: Path, database_url: str, _floor_url: str, _seconds: float, _rate: float, many: int = MANY) -> None:
    with bench(folder / "server", database_url) as one:
        engine = open_engine(one.settings.sqlalchemy_url)
        token = make_token(engine)
        fill(engine, one.tablet, 0, FEW)
        bottom = _read_kept(engine)
        print(f"floor: kept rows joined     {bottom:8.2f} s")
        central = _time_central(engine, one.tablet)
        for name, path in _CASES.items():
            _measure_few(one, path, token, name, bottom, central)
        fill(engine, one.tablet, FEW, many)
        bottom = _read_kept(engine)
        for name, path in _CASES.items():
            idle, fetched = measure(one.pid).memory_mb, fetch(_url(one, path), token, one.pid)
            _show(f"{name}, {many:,} ({idle:.0f} MB before)", fetched, None, bottom)
        engine.dispose()


def _time_central(engine: Engine, tablet: Tablet) -> dict[str, float]:
    """What Central takes for what it has as well: beside us, else as it was measured once."""
    form, definition, _ = _load_form(engine)
    samples = [xml for xml, _ in _make_samples(tablet, definition)]
    with central_beside(form, samples, FEW) as project:
        if project is None:
            return CENTRAL_S
        return {name: time_of(project, _CASES[name]) for name in ("OData", "CSV", "CSV in a zip")}


def _measure_few(one: Bench, path: str, token: str, name: str, bottom: float, central: dict[str, float]) -> None:
    best = min((fetch(_url(one, path), token, one.pid) for _ in range(3)), key=lambda f: f.seconds)
    _show(f"{name}, {FEW:,}", best, central.get(name), bottom)
    if best.etag:
        middle = best.size // 2
        rest = fetch(_url(one, path), token, one.pid, {"Range": f"bytes={middle}-", "If-Range": best.etag})
        if rest.size != best.size - middle:
            raise RuntimeError(f"{name} was not resumed: {rest.size} bytes came")
        print(f"{'   resumed in the middle by Range':36}{rest.seconds:8.2f} s ({rest.cpu_s:.2f} s CPU)", flush=True)


def _url(one: Bench, path: str) -> str:
    return f"{one.settings.base_url}/v1/projects/1/forms/{path}"


def fetch(url: str, token: str, pid: int, more: Mapping[str, str] = MappingProxyType({})) -> Fetched:
    """Read a body in pieces and look at the server's memory every few megabytes."""
    before, begun, first, size, memory = measure(pid), time.perf_counter(), 0.0, 0, 0.0
    headers = {"Authorization": f"Bearer {token}", **more}
    answer = urllib3.request("GET", url, headers=headers, preload_content=False, timeout=3600)
    if answer.status not in (200, 206):
        raise RuntimeError(f"{answer.status} {answer.read()[:200]!r}")
    seen = 0
    for chunk in answer.stream(64 * 1024):
        first = first or (time.perf_counter() - begun) * 1000
        size += len(chunk)
        if size - seen > 4 * 1024 * 1024 or not memory:
            seen, memory = size, max(memory, measure(pid).memory_mb)
    seconds, used = time.perf_counter() - begun, measure(pid) - before
    return Fetched(seconds, used.cpu_s, first, size, memory, answer.headers.get("ETag", ""))


def _show(name: str, fetched: Fetched, central: float | None, bottom: float) -> None:
    line = f"{name:36}{fetched.seconds:8.2f} s ({fetched.cpu_s:.2f} s CPU)   first byte {fetched.first_ms:.0f} ms"
    line += f"   {fetched.size / 1e6:.1f} MB   {fetched.seconds / bottom:.1f} × the floor"
    if central is not None:
        line += f"   {central / fetched.seconds:.1f} × as fast as Central's {central:.2f} s"
    print(f"{line}, memory {fetched.memory_mb:.0f} MB", flush=True)


def make_token(engine: Engine) -> str:
    now = datetime.now(UTC)
    with Session(engine) as session:
        begin_write(session)
        user = add_user(session, email="banc@teral.test", role="exchange", password="baobab-sous-la-pluie", now=now)
        token = issue_token(session, user, now).token
        session.commit()
    return token


def _read_kept(engine: Engine) -> float:
    begun = time.perf_counter()
    with engine.connect() as connection:
        kept = select(AnswerRow.answers).where(AnswerRow.form_id == FORM, AnswerRow.table_name == "")
        rows = connection.execution_options(yield_per=1000).execute(kept)
        sum(len(one.answers) + 1 for one in rows)
    return time.perf_counter() - begun


def fill(engine: Engine, tablet: Tablet, start: int, stop: int) -> None:
    """Records as tablets send them, a few of them many times over: what differs costs an export nothing."""
    _, definition, version = _load_form(engine)
    samples = list(_make_samples(tablet, definition))
    for begin in range(start, stop, _BATCH):
        _add(engine, samples, definition, version, range(begin, min(begin + _BATCH, stop)))
    analyse(engine)


def _load_form(engine: Engine) -> tuple[bytes, FormDefinition, tuple[int, str]]:
    """Its XML, what it asks, and its row's id with its name."""
    with Session(engine) as session:
        version = find_newest(session, FORM)
        if version is None:
            raise RuntimeError(f"{FORM} is not published")
        return version.xml, get_definition(session, version), (version.id, version.version)


def _make_samples(tablet: Tablet, definition: FormDefinition) -> Iterator[tuple[bytes, list[TableRow]]]:
    for _ in range(20):
        xml = tablet.fill(FORM, datetime.now(UTC)).xml
        yield xml, flatten(parse_submission(xml), definition)


def _add(
    engine: Engine, samples: list[tuple[bytes, list[TableRow]]], definition: FormDefinition, version: tuple[int, str],
    numbers: range,
) -> None:  # fmt: skip
    begun, rows = datetime(2026, 1, 1, tzinfo=UTC), []
    for number in numbers:
        xml = samples[number % len(samples)][0]
        name = f"uuid:bench-{number}"
        rows.append(
            {
                "form_id": FORM, "version": version[1], "form_version_id": version[0], "instance_id": name, "xml": xml,
                "xml_sha256": sha256(name.encode()).hexdigest(), "received_at": begun + timedelta(seconds=number),
                "processed_at": begun, "state": "merged",
            }
        )  # fmt: skip
    with Session(engine) as session:
        begin_write(session)
        ids = session.scalars(insert(Submission).returning(Submission.id, sort_by_parameter_order=True), rows).all()
        told = [
            (one, FORM, samples[number % len(samples)][1], definition) for one, number in zip(ids, numbers, strict=True)
        ]
        write_answers(session, told)
        session.commit()
