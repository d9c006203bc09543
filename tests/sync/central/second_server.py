"""A second Teral with its own data, spoken to over HTTP, and a line to it that breaks after so many bytes."""

import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Response
from werkzeug.wsgi import get_input_stream

from server import create_app
from server.config import Settings
from server.extensions import attachment_store, db
from server.processing import process_pending
from sync.attachments import AttachmentStore, add_blob
from sync.heads import is_head
from sync.intake import Sender
from sync.models import Submission
from sync.parts import IncomingFile
from sync.publishing import publish_form
from sync.sending import send_edit, send_file, send_record
from tests.accounts import PASSWORD, add_account
from tests.conftest import SECRET
from tests.sync.factory import form_file, xml

T = TypeVar("T")
Odd = bytes | Response | Callable[[], bytes]
EMAIL = "bridge@teral.test"
LONG_AGO = datetime(2026, 3, 2, tzinfo=UTC)


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log(self, *_arguments: object, **_named: object) -> None:
        """Tests are quiet."""


@dataclass
class SecondServer:
    """The peer. What happens there is done with its own code."""

    app: Flask
    url: str
    actor_id: int = 0
    says: dict[str, Odd] = field(default_factory=dict)  # odd answers, by the end of the path or of the query
    _session: Session | None = None

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """All that is done in the block is committed together."""
        with self.app.app_context():
            self._session = db.session()
            yield
            self._session.commit()
            db.session.remove()
        self._session = None

    def begin_anew(self, template: Path) -> None:
        """A fresh database with one account: an application of its own for each test would cost more than the test."""
        self.says.clear()
        with self.app.app_context():
            db.engine.dispose()
            database = Path(db.engine.url.database or "")
        # Not written over: a thread that has just answered may still hold the old one open.
        for left in database.parent.glob("teral.db*"):
            left.unlink()
        database.write_bytes(template.read_bytes())
        self.actor_id = self.inside(lambda session: add_account(session, "exchange", email=EMAIL).actor_id)

    def inside(self, work: Callable[[Session], T]) -> T:
        """Do something there and commit it."""
        if self._session is not None:
            return work(self._session)
        with self.app.app_context():
            session = db.session()
            result = work(session)
            session.commit()
            db.session.remove()
            return result

    def publish(self, *versions: str, form_id: str = "passage") -> None:
        for day, version in enumerate(versions):
            self.inside(
                lambda session, version=version, day=day: publish_form(
                    session, form_file(version, form_id), {}, None, LONG_AGO + timedelta(days=day)
                )
            )

    def send(self, instance_id: str, photo: bytes = b"", **facts: Any) -> None:
        """A record of a tablet there, with its photograph."""
        now = datetime.now(UTC)

        def keep(session: Session) -> None:
            name = facts.pop("awaited", f"{instance_id.replace(':', '-')}.jpg" if photo else "")
            body = xml(instance_id, facts.pop("people", None), photo=name, **facts)
            row = send_record(session, "passage", body, Sender(actor_id=self.actor_id), now)
            if photo:
                self._attach(session, row, name, photo, now)

        self.inside(keep)

    def attach(self, instance_id: str, name: str, photo: bytes) -> None:
        def keep(session: Session) -> None:
            row = session.scalars(select(Submission).where(Submission.instance_id == instance_id)).one()
            self._attach(session, row, name, photo, datetime.now(UTC))

        self.inside(keep)

    def edit(self, instance_id: str, by: str, other: bytes = b"", **facts: Any) -> None:
        """Another version of a record, with another photograph under the same name where there is one."""
        now = datetime.now(UTC)

        def keep(session: Session) -> None:
            row = session.scalars(select(Submission).where(Submission.instance_id == instance_id)).one()
            named = facts.pop("photo", next((one.name for one in row.attachments), ""))
            body = xml(by, facts.pop("people", None), photo=named, deprecated_id=instance_id, **facts)
            edit = send_edit(session, row, body, Sender(actor_id=self.actor_id), now)
            if other:
                self._attach(session, edit, named, other, now)

        self.inside(keep)

    def _attach(self, session: Session, row: Submission, name: str, photo: bytes, now: datetime) -> None:
        stored = attachment_store().save(BytesIO(photo))
        add_blob(session.connection(), stored, now)
        send_file(session, row, IncomingFile(name, "image/jpeg", stored), Sender(actor_id=self.actor_id), now)

    def process(self) -> None:
        with self.app.app_context():
            process_pending()
            db.session.remove()


def _bounded(app: Flask, says: dict[str, Odd]) -> Callable[..., Any]:
    """Bodies have an end, as gunicorn gives them one; and whatever it `says` instead of what is so."""

    def run(environ: dict[str, Any], start_response: Any) -> Any:
        environ["wsgi.input"] = get_input_stream(environ)
        asked = environ["PATH_INFO"], environ["QUERY_STRING"]
        odd = next((said for end, said in says.items() if any(one.endswith(end) for one in asked)), app)
        if not isinstance(odd, Response | Flask):
            odd = Response(odd if isinstance(odd, bytes) else odd())
        return odd(environ, start_response)

    return run


@contextmanager
def second_server(folder: Path) -> Iterator[SecondServer]:
    """Run it until the block ends."""
    # What it says of its own address is not how it is reached.
    app = create_app(Settings(data_dir=str(folder), secret_key=SECRET, public_url="http://elsewhere.test"))
    says: dict[str, Odd] = {}
    server = make_server("127.0.0.1", 0, _bounded(app, says), threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    there = SecondServer(app, f"http://127.0.0.1:{server.server_port}", says=says)
    try:
        yield there
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        with app.app_context():
            db.engine.dispose()


def records(session: Session, store: AttachmentStore) -> dict[str, tuple[str, str | None, tuple[tuple[str, str], ...]]]:
    """Every version of every record, byte for byte, with its files: what must be the same on both sides."""
    rows = session.scalars(select(Submission))
    return {
        row.instance_id: (
            hashlib.sha256(row.xml).hexdigest(),
            row.deprecated_id,
            tuple((one.name, hashlib.sha256(store.read(one.blob_sha256)).hexdigest()) for one in row.attachments),
        )
        for row in rows
    }


def count_heads(session: Session) -> int:
    return len(session.scalars(select(Submission.id).where(is_head())).all())


@dataclass
class CutLine:
    """Passes bytes on to an address. After each number of `cuts` bytes a connection ends.

    Bytes from there count, and with `both_ways` those that go there, too.
    """

    target: str
    cuts: list[int] = field(default_factory=list)
    both_ways: bool = False
    url: str = ""
    cut: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _open: list[socket.socket] = field(default_factory=list)

    def serve(self, listener: socket.socket) -> None:
        host, port = self.target.removeprefix("http://").split(":")
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.create_connection((host, int(port)))
            for one in (near, far):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open += [near, far]
            threading.Thread(target=self._pass, args=(near, far, self.both_ways), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, near, True), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, counts: bool) -> None:
        try:
            while piece := source.recv(4096):
                allowed = self._allow(len(piece)) if counts else len(piece)
                target.sendall(piece[:allowed])
                if allowed < len(piece):
                    break
        except OSError:
            piece = b""
        for one in (source, target):
            _end(one)

    def _allow(self, count: int) -> int:
        with self._lock:
            if not self.cuts:
                return count
            allowed = min(count, self.cuts[0])
            self.cuts[0] -= allowed
            if allowed < count or self.cuts[0] == 0:
                self.cuts.pop(0)
                self.cut += 1
                return allowed if allowed < count else count - 1
            return allowed


def _end(one: socket.socket) -> None:
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        one.close()
    one.close()


@contextmanager
def cut_line(target: str, cuts: list[int], *, both_ways: bool = False) -> Iterator[CutLine]:
    line = CutLine(target, cuts, both_ways)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        line.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=line.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield line
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)
            for one in line._open:
                _end(one)


LOGIN = (EMAIL, PASSWORD)
