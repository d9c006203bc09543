"""`/v1` under load: metadata of a record, a page of a table, a filter on an answer, and records that programs send.

Each beside constant bytes from the stub of the same WSGI server and, where TERAL_TEST_CENTRAL names ODK Central, beside
what it answers to the same requests about the same records in the same run.
"""

import json
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.bench import Figure, bench, describe, measured, show
from benchmarks.central import central_beside
from benchmarks.driver import Load, drive
from benchmarks.entity_rows import open_engine
from benchmarks.export_rows import FORM, fill, load_form, make_samples
from benchmarks.exports import make_token
from benchmarks.floor import floor
from sync.attachments import AttachmentStore
from tests.central.backend import Project

ROWS = 10_000
_READS = {
    "a record": f"{FORM}/submissions/uuid%3Abench-5000",
    "50 rows of 10,000": f"{FORM}.svc/Submissions?$top=50",
    "a filter on an answer": f"{FORM}.svc/Submissions?$top=50&$filter=passage/sens%20eq%20%27entree%27",
}
# Central answers 501 to filters on answers.
_CENTRALS = ("a record", "50 rows of 10,000")
_SENT = "a record sent"
_UUID = "00000000-0000-4000-8000-000000000000"


def run(folder: Path, database_url: str, floor_url: str, seconds: float, _rate: float) -> None:
    with bench(folder / "server", database_url) as one:
        engine = open_engine(one.settings.sqlalchemy_url)
        token = make_token(engine)
        fill(engine, AttachmentStore(one.settings.attachments), one.tablet, 0, ROWS)
        version, _ = load_form(engine)
        engine.dispose()
        record = _write_record(version.version)
        with central_beside(version.xml, list(make_samples(one.tablet)), ROWS) as project:
            central = {} if project is None else _load_central(project, record, seconds)
        bottom = _floor(folder / "floor", floor_url, seconds)
        show("floor: constant bytes", bottom)
        forms, port = "/v1/projects/1/forms", one.settings.port
        for name, path in _READS.items():
            request = write_request("GET", f"{forms}/{path}", token, port)
            show(name, measured(Load(port, [request], seconds), one.pid), bottom, central.get(name))
        sent = write_request("POST", f"{forms}/{FORM}/submissions", token, port, record)
        show(_SENT, measured(Load(port, [sent], seconds, _UUID.encode()), one.pid), bottom, central.get(_SENT))


def _load_central(project: Project, record: bytes, seconds: float) -> dict[str, float]:
    """How many of the same requests Central answers a second."""
    forms, port = f"/v1/projects/{project.id}/forms", urlsplit(project.url).port or 0
    token = str(project.session.headers["Authorization"]).removeprefix("Bearer ")
    loads = {
        name: Load(port, [write_request("GET", f"{forms}/{_READS[name]}", token, port)], seconds) for name in _CENTRALS
    }
    sent = write_request("POST", f"{forms}/{FORM}/submissions", token, port, record)
    loads[_SENT] = Load(port, [sent], seconds, _UUID.encode())
    found = {name: drive(load) for name, load in loads.items()}
    for name, result in found.items():
        print(f"{f'Central: {name}':28}{describe(result)}", flush=True)
    return {name: result.rate for name, result in found.items()}


def write_request(method: str, path: str, token: str, port: int, body: bytes = b"") -> bytes:
    head = [
        f"{method} {path.replace(' ', '%20')} HTTP/1.1", f"Host: 127.0.0.1:{port}",
        f"Authorization: Bearer {token}", "Content-Type: application/xml", f"Content-Length: {len(body)}",
    ]  # fmt: skip
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def _write_record(version: str) -> bytes:
    meta = f"<meta><instanceID>uuid:{_UUID}</instanceID></meta>"
    return f'<data id="{FORM}" version="{version}">{meta}</data>'.encode()


def _floor(folder: Path, database_url: str, seconds: float) -> Figure:
    folder.mkdir()
    with floor(folder, database_url, json.dumps({"instanceId": _UUID}).encode()) as (port, pid):
        request = f"GET /formList HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
        return measured(Load(port, [request], seconds), pid)
