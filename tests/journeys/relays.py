"""A centre and a relay on loopback ports, and the link between them."""

import contextlib
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select

from server.accounts.users import add_user
from server.bundles import Carried, export_down, export_up, import_bundle
from server.extensions import attachment_store, db
from server.relay import forward, open_link
from sync.attachments import add_blob
from sync.intake import IncomingRecord, Sender, Upload, receive_submission
from sync.models import Relay
from sync.parts import IncomingFile
from sync.peer_pace import Pace, Patience
from sync.publishing import find_form_version, publish_form
from sync.registry import registry_digest
from sync.relaying.bundles import make_key, public_key
from sync.relaying.enrolment import enrol_relay, place_sites
from sync.sites import find_site
from tests.journeys.outposts import MONDAY, Outposts, outposts
from tests.sync.factory import form_file
from tests.sync.meetings import Met, body

PASSWORD = "un-baobab-au-poste"


@dataclass
class Chain:
    """Tablets → relay → centre. `KLK` is behind the relay, `DKR` is not."""

    centre: Outposts
    relay: Outposts
    line: "Line"

    def sync(self, most: int | None = None) -> dict[str, Any]:
        """A link comes, and lasts for so many bytes at most, or for as long as the line lets it."""
        self.line.left = most if most is not None else self.line.left
        with self.relay.app.app_context():
            link = open_link(self.relay.settings, Pace(sleep=lambda _seconds: None))
            link.client._session.patience = Patience(tries=0)
            return forward(link)

    def carry(self, bundle: Path, *, down: bool) -> Carried:
        """A USB key goes from the one to the other."""
        self.export(bundle, down=down)
        return self.take(self.relay if down else self.centre, bundle)

    def export(self, bundle: Path, *, down: bool) -> None:
        sender = self.centre if down else self.relay
        with sender.app.app_context():
            if down:
                export_down(sender.settings, bundle, _relay_id())
            else:
                export_up(sender.settings, bundle)

    def take(self, receiver: Outposts, bundle: Path, now: datetime | None = None) -> Carried:
        with receiver.app.app_context():
            carried = import_bundle(receiver.settings, bundle, now or datetime.now(UTC))
            db.session.remove()
        return carried

    def settle(self) -> None:
        """Links come until nobody has news, and everybody judges what came."""
        for _ in range(6):
            self.relay.settle()
            done = self.sync()
            self.centre.settle()
            if not any(done.values()):
                return
        raise AssertionError(f"they never come to an end: {done}")


class Line:
    """A line of TCP that breaks after so many bytes, counted over all connections; None is a good day."""

    def __init__(self, url: str) -> None:
        self.target = urlsplit(url)
        self.left: int | None = None
        self.cuts = self.passed = 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def __enter__(self) -> "Line":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_ended: object) -> None:
        self.listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection((self.target.hostname or "", self.target.port or 0))
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            whole = True
            while whole and (piece := source.recv(16384)):
                passed = self._let_through(piece)
                target.sendall(passed)
                whole = passed == piece
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _let_through(self, piece: bytes) -> bytes:
        with self.lock:
            passed = piece if self.left is None else piece[: self.left]
            self.cuts += len(passed) < len(piece)
            self.passed += len(passed)
            self.left = None if self.left is None else self.left - len(passed)
            return passed


def _relay_id() -> int:
    return db.session.scalars(select(Relay.site_id)).one()


def digest(place: Outposts) -> str:
    with place.looking() as session:
        return registry_digest(session)


@contextmanager
def chain(folder: Path, template: Path) -> Iterator[Chain]:
    """A centre, a line that can be cut, and a relay that was set up from what the centre told at its enrolment."""
    keys = {name: make_key() for name in ("centre", "relay")}
    for name, key in keys.items():
        (folder / name).mkdir()
        shutil.copy(template, folder / name / "teral.db")
        (folder / f"{name}.key").write_text(key)
    with outposts(folder / "centre", "", bundle_key=str(folder / "centre.key")) as centre, Line(centre.url) as line:
        told = enrol(centre, public_key(keys["relay"]))
        told |= {"upstream_url": line.url, "upstream_key": public_key(keys["centre"])}
        with outposts(folder / "relay", "", (), bundle_key=str(folder / "relay.key"), **told) as relay:
            yield Chain(centre, relay, line)


def enrol(centre: Outposts, key: str) -> dict[str, Any]:
    """Make the site KLK a relay of the centre; return the settings that it needs."""
    centre.site(code="KLK"), centre.site(code="DKR")
    with centre.looking() as session:
        site = find_site(session, "KLK")
        assert site is not None
        user = add_user(
            session, email="klk@relay.invalid", role="relay", site=site, password=PASSWORD, now=datetime.now(UTC)
        )
        relay = enrol_relay(session, site, user.actor_id, datetime.now(UTC))
        place_sites(session, relay, [site], datetime.now(UTC))
        relay.public_key, number = key, relay.number
    return {"upstream_user": "klk@relay.invalid", "upstream_password": PASSWORD, "upstream_number": number}


def publish(place: Outposts, form_id: str, villages: bytes) -> Path:
    """A form with one file, or the file that it lacked; returns where that is on the disk."""
    with place.looking() as session:
        stored, now = attachment_store().save(villages), datetime.now(UTC)
        add_blob(session.connection(), stored, now)
        publish_form(session, form_file(form_id=form_id), {"villages.csv": stored.sha256}, None, now)
    return place.settings.data_path / "attachments" / stored.sha256[:2] / stored.sha256[2:]


def read_villages(place: Outposts, form_id: str) -> bytes | None:
    """The file of that form as tablets there are given it, empty where it is missing; None where there is no form."""
    with place.looking() as session:
        version = find_form_version(session, form_id, "1")
        if version is None:
            return None
        [held] = [one.blob_sha256 for one in version.attachments if one.name == "villages.csv"]
        return attachment_store().read(held) if held else b""


def photo_record(name: str) -> bytes:
    named = f"<meta><instanceID>uuid:{name}</instanceID></meta>"
    return f'<data id="photos" version="1"><photo>p.jpg</photo>{named}</data>'.encode()


def receive_blank(posts: Chain, form_id: str, name: str, received_at: datetime) -> None:
    """A record without any answer, of a form that nobody published, reaches the post."""
    told = f'<data id="{form_id}" version="1"><meta><instanceID>uuid:{name}</instanceID></meta></data>'.encode()
    with posts.relay.looking() as session:
        record = IncomingRecord(form_id, "1", f"uuid:{name}")
        receive_submission(session, record, Upload(told, sha256(told).hexdigest()), Sender(), received_at)


def receive_photo(posts: Chain, name: str, photo: bytes) -> str:
    """A record with one photograph reaches the post; returns the photograph's hash."""
    body = photo_record(name)
    with posts.relay.looking() as session:
        stored = attachment_store().save(photo)
        record = IncomingRecord("photos", "1", f"uuid:{name}", expected_files=("p.jpg",))
        upload = Upload(body, sha256(body).hexdigest(), (IncomingFile("p.jpg", "image/jpeg", stored),))
        receive_submission(session, record, upload, Sender(), MONDAY)
    return stored.sha256


def receive_meeting(posts: Chain, instance_id: str, *people: Met, deprecated_id: str | None = None) -> None:
    """A meeting with these people, or an edit of one, reaches the post."""
    told = body(instance_id, *people, deprecated_id=deprecated_id)
    with posts.relay.looking() as session:
        record = IncomingRecord("rencontre", "1", instance_id, deprecated_id)
        receive_submission(session, record, Upload(told, sha256(told).hexdigest()), Sender(), MONDAY)
