"""Reads: form list polling, form and manifest pairs, and Basic auth, each beside constant bytes from the stub."""

import base64
from pathlib import Path

from benchmarks.bench import Bench, Figure, bench, measured, show, write_get
from benchmarks.driver import Load
from benchmarks.floor import floor


def run(folder: Path, database_url: str, floor_url: str, seconds: float, _rate: float) -> None:
    with bench(folder / "server", database_url) as one:
        form_list = one.tablet.client.get(f"{one.tablet.server_url}/formList").body
        bottom = _floor(folder / "floor", floor_url, form_list, seconds)
        show("floor: constant bytes", bottom)
        for name, requests in _cases(one).items():
            show(name, measured(Load(one.settings.port, requests, seconds), one.pid), bottom)


def _cases(one: Bench) -> dict[str, list[bytes]]:
    base, form = one.tablet.server_url, next(listed for listed in one.forms if listed.manifest_url)
    login = base64.b64encode(f"{one.enrolment['username']}:{one.enrolment['password']}".encode()).decode()
    etag = one.tablet.client.get(f"{base}/formList").headers["ETag"]
    return {
        "formList": [write_get(f"{base}/formList")],
        "formList: unchanged (304)": [write_get(f"{base}/formList", f"If-None-Match: {etag}")],
        "form + manifest": [write_get(form.download_url), write_get(form.manifest_url or "")],
        "formList, Basic": [write_get(f"{one.settings.base_url}/formList", f"Authorization: Basic {login}")],
    }


def _floor(folder: Path, database_url: str, constant: bytes, seconds: float) -> Figure:
    folder.mkdir()
    with floor(folder, database_url, constant) as (port, pid):
        return measured(Load(port, [write_get(f"http://127.0.0.1:{port}/formList")], seconds), pid)
