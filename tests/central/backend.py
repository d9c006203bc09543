"""ODK Central's own backend beside the tests, from a folder that TERAL_TEST_CENTRAL names; nothing of it is kept here.

The folder is a checkout of getodk/central-backend in which `npm ci --omit=dev` was run, with the Node that its
package.json asks for first on PATH. GitHub is no package registry, so no machine has it unless somebody put it there.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote, unquote, urlsplit
from uuid import uuid4

import requests
from markupsafe import escape
from pyxform.errors import PyXFormError
from pyxform.xls2xform import convert
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from forms.xform import parse_form
from tests.live import wait_until_open
from tests.postgres import postgres_cluster

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_XML = {"Content-Type": "application/xml"}
EMAIL, PASSWORD = "bridge@teral.test", "baobab-sous-la-pluie"


@dataclass
class Central:
    """A running Central with one administrator."""

    folder: Path
    port: int
    settings: dict[str, Any]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self, script: str, *arguments: str, told: str = "") -> None:
        """One of its own command-line programs, until it ends."""
        command = ["node", f"lib/bin/{script}.js", *arguments]
        given = {"env": self._environment(), "cwd": self.folder, "input": told.encode()}
        done = subprocess.run(command, capture_output=True, timeout=120, **given)  # type: ignore[call-overload]
        if done.returncode:
            raise RuntimeError(f"{script} of Central failed: {done.stderr.decode()[-2000:]}")

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                ["node", "lib/bin/run-server.js"], cwd=self.folder, env=self._environment(), stdout=log, stderr=log
            )
        wait_until_open(self.port, self.process)

    def stop(self, signal_number: int = signal.SIGKILL) -> None:
        """At once, as a power cut would, unless told otherwise."""
        if self.process is not None:
            self.process.send_signal(signal_number)
            self.process.wait(30)

    def log_in(self, email: str = EMAIL, password: str = PASSWORD) -> requests.Session:
        """A session with a fresh token."""
        session = requests.Session()
        answer = session.post(f"{self.url}/v1/sessions", json={"email": email, "password": password}, timeout=30)
        answer.raise_for_status()
        session.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        return session

    def add_project(self, name: str) -> "Project":
        session = self.log_in()
        answer = session.post(f"{self.url}/v1/projects", json={"name": name}, timeout=30)
        answer.raise_for_status()
        return Project(self.url, int(answer.json()["id"]), session)

    @contextlib.contextmanager
    def other_password(self, project: "Project") -> Iterator[None]:
        """The account has another password until the block ends."""
        self._change_password(project, PASSWORD, PASSWORD[::-1])
        try:
            yield
        finally:
            project.session = self.log_in(password=PASSWORD[::-1])
            self._change_password(project, PASSWORD[::-1], PASSWORD)
            project.session = self.log_in()

    def _change_password(self, project: "Project", old: str, new: str) -> None:
        me = project.session.get(f"{self.url}/v1/users/current", timeout=30).json()["id"]
        told = {"old": old, "new": new}
        project.session.put(f"{self.url}/v1/users/{me}/password", json=told, timeout=30).raise_for_status()

    def _environment(self) -> dict[str, str]:
        told = {"NODE_CONFIG": json.dumps({"default": self.settings}), "NODE_CONFIG_ENV": "default"}
        # Tests log in often; how much work a password's hash is tells nothing here.
        return {**os.environ, **told, "BCRYPT": "insecure", "NO_COLOR": "1"}


@dataclass
class Project:
    """A project there, and what its people and tablets do."""

    url: str
    id: int
    session: requests.Session

    def call(self, method: str, path: str, **given: Any) -> requests.Response:
        """A request that must succeed; `path` is inside the project."""
        answer = self.session.request(method, f"{self.url}/v1/projects/{self.id}/{path}", timeout=60, **given)
        assert answer.ok, (method, path, answer.status_code, answer.text)
        return answer

    def json(self, path: str) -> Any:
        return self.call("GET", path).json()

    def publish(self, xml: bytes, files: dict[str, bytes] | None = None) -> None:
        """A new form, or a new version of one that is there."""
        form_id = quote(read_form_id(xml), safe="")
        if form_id in [quote(one["xmlFormId"], safe="") for one in self.json("forms")]:
            self.call("POST", f"forms/{form_id}/draft", data=xml, headers=_XML)
        else:
            self.call("POST", "forms", data=xml, headers=_XML)
        for name, content in (files or {}).items():
            self.call("POST", f"forms/{form_id}/draft/attachments/{quote(name)}", data=content)
        self.call("POST", f"forms/{form_id}/draft/publish")

    def upload(self, workbook: bytes, form_id: str) -> None:
        """Publish an XLSForm, which Central converts itself."""
        headers = {"Content-Type": _XLSX, "X-XlsForm-FormId-Fallback": form_id}
        self.call("POST", "forms?publish=true&ignoreWarnings=true", data=workbook, headers=headers)

    def send(self, xml: bytes, files: dict[str, bytes] | None = None) -> None:
        """A record or an edit as a tablet sends it."""
        parts = {"xml_submission_file": ("data.xml", xml, "text/xml")}
        parts |= {name: (name, content, "image/jpeg") for name, content in (files or {}).items()}
        self.call("POST", "submission?deviceID=collect%3Atest", files=parts, headers={"X-OpenRosa-Version": "1.0"})


def read_form_id(xml: bytes) -> str:
    return parse_form(xml).form_id


@contextlib.contextmanager
def central_backend(folder: Path) -> Iterator[Central]:
    """Run it on a database of its own until the block ends."""
    if shutil.which("node") is None:
        raise RuntimeError("Central needs the Node of its package.json first on PATH.")
    quick = "fsync=off", "full_page_writes=off", "synchronous_commit=off"
    with postgres_cluster(*quick) as database, _converter() as converter, TemporaryDirectory() as kept:
        central = Central(folder, _free_port(), {}, Path(kept) / "central.log")
        central.settings = _settings(central.port, database, converter)
        central.run("run-migrations")
        central.run("cli", "-u", EMAIL, "user-create", told=f"{PASSWORD}\n")
        central.run("cli", "-u", EMAIL, "user-promote")
        central.start()
        try:
            yield central
        finally:
            central.stop()


def _settings(port: int, database: str, converter: int) -> dict[str, Any]:
    parts = urlsplit(database)
    named = {"host": parts.hostname, "port": parts.port, "user": parts.username, "database": parts.path[1:]}
    return {
        "server": {"port": port},
        "database": {**named, "password": "unused"},
        "xlsform": {"host": "127.0.0.1", "port": converter},
        "env": {"domain": f"http://127.0.0.1:{port}"},
    }


@contextlib.contextmanager
def _converter() -> Iterator[int]:
    """What Central asks to make an XForm of a workbook: pyxform, spoken to as pyxform-http is."""
    server = make_server("127.0.0.1", 0, _convert, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@Request.application
def _convert(request: Request) -> Response:
    # The name of the file is what a form without an id is called.
    name = PurePath(escape(unquote(request.headers.get("X-XlsForm-FormId-Fallback", "")))).name or str(uuid4())
    warnings: list[str] = []
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.xlsx"
        path.write_bytes(request.get_data())
        try:
            made = convert(path, warnings)
        except PyXFormError as error:
            return _answer({"error": str(error), "warnings": warnings}, 400)
    return _answer({"result": made.xform, "itemsets": made.itemsets, "warnings": warnings}, 200)


def _answer(told: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(told), status, mimetype="application/json")


class _Quiet(WSGIRequestHandler):
    def log(self, *_arguments: object, **_named: object) -> None:
        """Tests are quiet."""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
