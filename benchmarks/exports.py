"""Exports at size: whole forms in every format, 10,000 records; 100,000 and a million in the same memory.

Files are taken up again in the middle, and OData is also read page by page.

The floor is what nobody can avoid: the kept rows read from the same database and put one after the other, in process.
Where TERAL_TEST_CENTRAL names ODK Central, it answers the same requests about the same records in the same run.
"""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import urllib3
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from benchmarks.bench import Bench, bench
from benchmarks.central import central_beside, time_of
from benchmarks.entity_rows import open_engine
from benchmarks.export_rows import FORM, fill, load_form, make_samples
from benchmarks.usage import measure
from server.accounts.programs import issue_token
from server.accounts.users import add_user
from server.tablets.tablet import Tablet
from sync.attachments import AttachmentStore
from sync.db import begin_write
from sync.models import AnswerRow

FEW, MORE, MANY = 10_000, 100_000, 1_000_000
# Rows of a page of OData, as Power BI and pyodk's get_table ask for them one after the other.
_TOP = 1000
_NEXT = re.compile(rb'"@odata.nextLink":"([^"]+)"')
_LOOK_S, _TAIL = 0.2, 2000
# ODK Central 2026.2, 10,000 records, the same kind of machine.
CENTRAL_S = {"OData": 2.1, "CSV": 1.6}
_CASES = {
    "OData": f"{FORM}.svc/Submissions", "CSV": f"{FORM}/submissions.csv",
    "CSV in a zip": f"{FORM}/submissions.csv.zip?attachments=false",
    "CSV and files in a zip": f"{FORM}/submissions.csv.zip?attachments=true", "GeoJSON": f"{FORM}/submissions.geojson",
    "Parquet": f"{FORM}/submissions.parquet", "Parquet in a zip": f"{FORM}/submissions.parquet.zip",
    "XLSX": f"{FORM}/submissions.xlsx",
}  # fmt: skip
_CENTRALS = ("OData", "CSV", "CSV in a zip", "CSV and files in a zip", "GeoJSON")


@dataclass(frozen=True)
class Fetched:
    """How long a body took, by the clock and of the server's processor; its first byte, length, and most memory."""

    seconds: float
    cpu_s: float
    first_ms: float
    size: int
    memory_mb: float
    etag: str
    tail: bytes


def run(folder: Path, database_url: str, _floor_url: str, _seconds: float, _rate: float, many: int = MANY) -> None:
    with bench(folder / "server", database_url) as one:
        engine = open_engine(one.settings.sqlalchemy_url)
        token = make_token(engine)
        store = AttachmentStore(one.settings.attachments)
        fill(engine, store, one.tablet, 0, FEW)
        bottom = _read_kept(engine)
        print(f"floor: kept rows joined     {bottom:8.2f} s")
        central = _time_central(engine, one.tablet)
        for name, path in _CASES.items():
            _measure_few(one, path, token, name, bottom, central)
        sizes = sorted({FEW, min(MORE, many), many})
        for start, stop in pairwise(sizes):
            # No export here filters.
            begun = time.perf_counter()
            fill(engine, store, one.tablet, start, stop, for_filters=False)
            print(f"{stop:,} records written in {time.perf_counter() - begun:.0f} s")
            _measure_many(one, token, stop, _read_kept(engine))
        engine.dispose()


def _measure_many(one: Bench, token: str, count: int, bottom: float) -> None:
    print(f"floor: {count:,} kept rows joined {bottom:.2f} s; the server holds {measure(one.pid).memory_mb:.0f} MB")
    for name, path in _CASES.items():
        fetched = fetch(_url(one, path), token, one.pid)
        _show(f"{name}, {count:,}", fetched, None, bottom, count)
    pages = list(_fetch_pages(_url(one, f"{_CASES['OData']}?$top={_TOP}"), token, one.pid))
    seconds, memory = sum(page.seconds for page in pages), max(page.memory_mb for page in pages)
    print(
        f"{f'OData, {count:,} in pages of {_TOP:,}':36}{seconds:8.2f} s ({sum(page.cpu_s for page in pages):.2f} s CPU)"
        f"   {count / seconds:,.0f} rows/s   first page {pages[0].seconds * 1000:.0f} ms, last"
        f" {pages[-1].seconds * 1000:.0f} ms, memory {memory:.0f} MB",
        flush=True,
    )


def _fetch_pages(url: str, token: str, pid: int) -> Iterator[Fetched]:
    """Each page of a table; the next one's address stands at the end of each."""
    while url:
        page = fetch(url, token, pid)
        yield page
        following = _NEXT.search(page.tail)
        url = following.group(1).decode() if following else ""


def _time_central(engine: Engine, tablet: Tablet) -> dict[str, float]:
    """What Central takes for what it has as well: beside us, else as it was measured once."""
    version, _ = load_form(engine)
    with central_beside(version.xml, list(make_samples(tablet)), FEW) as project:
        if project is None:
            return CENTRAL_S
        return {name: time_of(project, _CASES[name]) for name in _CENTRALS}


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
    """Read a body in pieces and look at the server's memory every now and then."""
    before, begun, first, size, memory, tail = measure(pid), time.perf_counter(), 0.0, 0, 0.0, b""
    headers = {"Authorization": f"Bearer {token}", **more}
    answer = urllib3.request("GET", url, headers=headers, preload_content=False, timeout=3600)
    if answer.status not in (200, 206):
        raise RuntimeError(f"{answer.status} {answer.read()[:200]!r}")
    seen = begun
    for chunk in answer.stream(64 * 1024):
        now = time.perf_counter()
        first = first or (now - begun) * 1000
        size, tail = size + len(chunk), tail[-_TAIL:] + chunk
        if now - seen > _LOOK_S:
            seen, memory = now, max(memory, measure(pid).memory_mb)
    seconds, used = time.perf_counter() - begun, measure(pid) - before
    etag = answer.headers.get("ETag", "")
    return Fetched(seconds, used.cpu_s, first, size, max(memory, used.memory_mb), etag, tail[-_TAIL:])


def _show(name: str, fetched: Fetched, central: float | None, bottom: float, count: int = FEW) -> None:
    line = f"{name:36}{fetched.seconds:8.2f} s ({fetched.cpu_s:.2f} s CPU)   first byte {fetched.first_ms:.0f} ms"
    line += f"   {fetched.size / 1e6:.1f} MB   {fetched.seconds / bottom:.1f} × the floor"
    line += f"   {count / fetched.seconds:,.0f} rows/s"
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
