"""What every measurement needs: a server with a published form, one tablet's requests as bytes, a table of results."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.driver import NAME, Load, Result, drive
from benchmarks.usage import Usage, measure
from server.cli.setup import set_up
from server.config import Settings
from server.tablets.client import split_posts
from server.tablets.fleet import Plan, make_fleet
from server.tablets.listing import ListedForm, read_form_list
from server.tablets.queue import Record
from server.tablets.tablet import Tablet
from tests.live import demo_settings, serving

# ODK Central 2026.2 with four workers, measured on the same kind of machine (2 cores, driver and PostgreSQL on it).
CENTRAL = {
    "ingest": 142.0, "sustained": 80.0, "duplicates": 311.0, "formList": 558.0, "form + manifest": 112.0,
    "formList, Basic": 8.0,
}  # fmt: skip
_NAMED = re.compile(b"<nom>[^<]+</nom><prenoms>[^<]+</prenoms>")
_PAPERS = re.compile(b"<(doc_num|mrz)>[^<]")
CENTRAL_P95_MS = 110.0
CENTRAL_MEMORY_MB = "1126–1434"


@dataclass(frozen=True)
class Figure:
    """What a load came to, and what it cost the processes that bore it."""

    result: Result
    used: Usage

    @property
    def cpu_ms(self) -> float:
        """Processor time of one request."""
        return self.used.cpu_s * 1000 / self.result.count if self.result.count else 0.0


def measured(load: Load, *pids: int) -> Figure:
    """Run the load and note what these processes, with their children, used meanwhile."""
    before = measure(*pids)
    result = drive(load)
    return Figure(result, measure(*pids) - before)


@dataclass
class Bench:
    """A running server, its process, and a tablet that has fetched its forms."""

    settings: Settings
    pid: int
    tablet: Tablet
    forms: list[ListedForm]
    enrolment: dict[str, Any]


@contextmanager
def bench(folder: Path, database_url: str) -> Iterator[Bench]:
    """A fresh server with demo data on the database."""
    settings = demo_settings(folder, database_url)
    enrolment = set_up(settings, demo=True)["tablets"][0]
    with serving(settings) as process:
        [tablet] = make_fleet([enrolment], Plan(datetime.now(UTC)))
        tablet.refresh()
        forms = read_form_list(tablet.client.get(f"{tablet.server_url}/formList"))
        yield Bench(settings, process.pid, tablet, forms, enrolment)


def write_get(url: str, *headers: str) -> bytes:
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    lines = [f"GET {target} HTTP/1.1", f"Host: {parts.netloc}", "X-OpenRosa-Version: 1.0", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def write_post(one: Bench, *, with_file: bool) -> tuple[bytes, bytes]:
    """One record's POST as Collect sends it, and the UUID in it that makes it a new one; its file becomes new too.

    Its people have other names each time: nobody meets the same person some hundred times a second.
    """
    record = _plain_record(one.tablet)
    uuid = record.instance_id.removeprefix("uuid:").encode()
    files = {name: data + b"\n" + uuid for name, data in record.files.items()} if with_file else {}
    xml = re.sub(b"(?<=<nom>)[^<]+|(?<=<prenoms>)[^<]+", NAME, record.xml)
    xml = xml if with_file else xml.replace(b"<audit>audit.csv</audit>", b"")
    [(body, boundary)] = split_posts(record.xml_name, xml, files)
    parts = urlsplit(one.tablet.server_url)
    head = (
        f"POST {parts.path}/submission?deviceID=collect%3Aabcdefgh01234567 HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        f"User-Agent: {one.tablet.client.user_agent}\r\nX-OpenRosa-Version: 1.0\r\n"
        f"Content-Type: multipart/form-data; boundary={boundary}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body, uuid


def _plain_record(tablet: Tablet) -> Record:
    """A record of one or two persons with names and without papers: the usual case at a border post."""
    while True:
        record = tablet.fill("f02_passage", datetime.now(UTC))
        people = record.xml.count(b"<voyageurs>")
        if people in (1, 2) and len(_NAMED.findall(record.xml)) == people and not _PAPERS.search(record.xml):
            return record


def describe(result: Result) -> str:
    spread = " / ".join(f"{result.percentile(part):.1f}" for part in (0.5, 0.95, 0.99))
    strange = {status: count for status, count in result.statuses.items() if status not in ("200", "201", "202", "304")}
    return f"{result.rate:8.0f}/s   p50/p95/p99 {spread} ms" + (f"   NOT ACCEPTED: {strange}" if strange else "")


def show(name: str, figure: Figure, bottom: Figure | None = None, beside: float | None = None) -> None:
    """Two lines of the table: the figure beside the floor's and ODK Central's; then what it cost.

    `beside` is what Central came to in this run; without it stands what was measured once.
    """
    line = f"{name:28}{describe(figure.result)}"
    central = CENTRAL.get(name.partition(":")[0]) if beside is None else beside
    if bottom is not None:
        line += f"   {figure.result.rate / bottom.result.rate:.0%} of the floor"
    if central is not None:
        line += f"   {figure.result.rate / central:.1f} × Central's {central:.0f}/s"
    cost = f"{'':28}{figure.cpu_ms:8.2f} ms CPU a request"
    if bottom is not None:
        cost += f", {figure.cpu_ms / bottom.cpu_ms:.1f} × the floor's"
    print(f"{line}\n{cost}, memory {figure.used.memory_mb:.0f} MB", flush=True)
