"""`/v1` under load: metadata of a record, a page of a table, a filter on an answer, and records that programs send.

Each beside constant bytes from the stub of the same WSGI server.
"""

import json
from pathlib import Path

from benchmarks.bench import Bench, Figure, bench, measured, show
from benchmarks.driver import Load
from benchmarks.entity_rows import open_engine
from benchmarks.export_rows import FORM, fill
from benchmarks.exports import make_token
from benchmarks.floor import floor

ROWS = 10_000
_BASE = f"/v1/projects/1/forms/{FORM}"
_READS = {
    "a record": f"{_BASE}/submissions/uuid%3Abench-5000",
    "50 rows of 10,000": f"{_BASE}.svc/Submissions?$top=50",
    "a filter on an answer": f"{_BASE}.svc/Submissions?$top=50&$filter=passage/sens%20eq%20%27entree%27",
}
_UUID = "00000000-0000-4000-8000-000000000000"


def run(folder: Path, database_url: str, floor_url: str, seconds: float, _rate: float) -> None:
    with bench(folder / "server", database_url) as one:
        engine = open_engine(one.settings.sqlalchemy_url)
        token = make_token(engine)
        fill(engine, one.tablet, 0, ROWS)
        engine.dispose()
        bottom = _floor(folder / "floor", floor_url, seconds)
        show("floor: constant bytes", bottom)
        for name, path in _READS.items():
            request = write_request("GET", path, token, one)
            show(name, measured(Load(one.settings.port, [request], seconds), one.pid), bottom)
        sent = write_request("POST", f"{_BASE}/submissions", token, one, _record(one))
        show("a record sent", measured(Load(one.settings.port, [sent], seconds, _UUID.encode()), one.pid), bottom)


def write_request(method: str, path: str, token: str, one: Bench, body: bytes = b"") -> bytes:
    head = [
        f"{method} {path.replace(' ', '%20')} HTTP/1.1", f"Host: 127.0.0.1:{one.settings.port}",
        f"Authorization: Bearer {token}", "Content-Type: application/xml", f"Content-Length: {len(body)}",
    ]  # fmt: skip
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def _record(one: Bench) -> bytes:
    version = next(listed.version for listed in one.forms if listed.form_id == FORM)
    meta = f"<meta><instanceID>uuid:{_UUID}</instanceID></meta>"
    return f'<data id="{FORM}" version="{version}">{meta}</data>'.encode()


def _floor(folder: Path, database_url: str, seconds: float) -> Figure:
    folder.mkdir()
    with floor(folder, database_url, json.dumps({"instanceId": _UUID}).encode()) as (port, pid):
        request = f"GET /formList HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
        return measured(Load(port, [request], seconds), pid)
