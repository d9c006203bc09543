"""A server with five small entity forms, and simulated tablets at sites of their own that talk to it over a socket.

Time in the field is the story's: days pass between two visits as the story says. The server's clock can be moved.
"""

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wsgi import get_input_stream

from forms.xform import parse_form
from forms.xlsform import read_form
from server import create_app
from server.accounts.credentials import enrol_device
from server.config import Settings
from server.extensions import attachment_store, db
from server.keys import current_keys
from server.openrosa.routes import get_room
from server.processing import process_pending
from server.relay import note_number
from server.tablets.client import Client
from server.tablets.entities import LocalEntity
from server.tablets.filler import Officer, Told
from server.tablets.fleet import AGENT
from server.tablets.link import Link
from server.tablets.people import Population
from server.tablets.queue import Record
from server.tablets.tablet import Tablet
from sync.db import begin_write
from sync.entity_fold import force_overdue
from sync.models import Device, Entity, EntityContribution, Site, Submission
from sync.publishing import FormFile, publish_form
from sync.rebuilding import rebuild_registry
from sync.registry import lock_registry
from tests.conftest import SECRET
from tests.sync.factory import add_site

FORMS = Path(__file__).parent.parent / "samples" / "entities"
MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_arguments: object, **_named: object) -> None:
        """Tests are quiet."""


@dataclass
class Outposts:
    """The server and whoever is out there. Sites and tablets are added as a story needs them."""

    app: Flask
    settings: Settings
    url: str
    count: int = 0

    def site(self, kind: str = "centre", region: str | None = None, code: str = "") -> str:
        """A site that no other story knows."""
        self.count += 1
        with self._session() as session:
            return add_site(session, code or f"S{self.count}", kind=kind, region=region).code

    def tablet(self, site: str) -> "Officers":
        """A tablet of that site with the forms and lists on board."""
        self.count += 1
        name = f"{site}-{self.count}"
        with self._session() as session:
            at = session.scalars(select(Site).where(Site.code == site)).one()
            enrolment = enrol_device(session, self.settings, at, name, datetime.now(UTC))
        rng = Random(name)
        officer = Officer(rng, Population(Random(1), 5), f"collect:{self.count:016}", name, site)
        url = f"{self.url}{urlsplit(enrolment.server_url).path}"
        return Officers(Tablet(url, Client(officer.collect_id, AGENT, Link(rng)), officer)).sync()

    def settle(self) -> None:
        """Let the job process judge and fold in whatever came."""
        with self.app.app_context():
            process_pending()
            db.session.remove()

    @contextmanager
    def looking(self) -> Iterator[Session]:
        """A look into the database, or a supervisor's act."""
        with self._session() as session:
            yield session

    @contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        """The server's clock shows this for a while."""
        room = get_room(self.app)
        kept, room.clock = room.clock, lambda: moment
        yield
        room.clock = kept

    def publish_older(self, name: str, entities_version: str) -> str:
        """The same form as it was written for an older version of the specification; returns its id."""
        form_id = f"{name}_{entities_version[:4]}"
        xml = read_form((FORMS / f"{name}.md").read_bytes(), f"{name}.md").xml
        older = re.sub(rb'entities-version="[^"]*"', f'entities-version="{entities_version}"'.encode(), xml)
        older = re.sub(rb' (trunkVersion|branchId)=""', b"", older)
        older = older.replace(f'id="{name}"'.encode(), f'id="{form_id}"'.encode())
        older = re.sub(rb'<bind nodeset="[^"]*@(trunkVersion|branchId)"[^>]*/>', b"", older)
        with self._session() as session:
            publish_form(session, FormFile(older, parse_form(older)), {}, None, MONDAY)
        return form_id

    def meet(self, *tablets: "Officers") -> None:
        """All send, the server judges, all refresh."""
        for one in tablets:
            one.sync()
        self.settle()
        for one in tablets:
            one.refresh()

    def share(self, ref: str, *tablets: "Officers") -> str:
        """A stay that all these tablets hold in its first version."""
        stay = tablets[0].open_stay(ref, lit="1")
        self.meet(*tablets)
        return stay

    def entity(self, uuid: str) -> Entity:
        """The entity as the registry has it."""
        with self._session() as session:
            found = session.scalars(select(Entity).where(Entity.uuid == uuid)).one()
            session.expunge(found)
            return found

    def waits(self, uuid: str) -> list[str]:
        """What the updates of an entity wait for."""
        query = select(EntityContribution).where(EntityContribution.waits_for.is_not(None))
        with self._session() as session:
            return [one.waits_for or "" for one in session.scalars(query) if one.entity.uuid == uuid]

    def state(self, record: Record) -> str:
        """What became of a record."""
        with self._session() as session:
            return _submission(session, record).state

    def decide(self, verb: Callable[..., object], record: Record) -> None:
        """A supervisor accepts, rejects or replays a record."""
        with self._session() as session:
            verb(session, _submission(session, record), None, "Vu avec le chef de poste", datetime.now(UTC))
        self.settle()

    def rebuild(self) -> None:
        """The registry is told anew from submissions and journal."""
        with self._session() as session:
            rebuild_registry(session, attachment_store(), current_keys(), datetime.now(UTC))

    def force(self) -> None:
        """Six days later: what waited for too long is applied."""
        with self._session() as session:
            lock_registry(session)
            force_overdue(session, 5, datetime.now(UTC) + timedelta(days=6))

    @contextmanager
    def _session(self) -> Iterator[Session]:
        with self.app.app_context():
            session = db.session()
            begin_write(session)
            yield session
            session.commit()
            db.session.remove()


@dataclass
class Officers:
    """One tablet with the people who use it. `now` is its clock; every record takes an hour."""

    tablet: Tablet
    now: datetime = field(default=MONDAY)

    def sync(self) -> "Officers":
        """Send what waits, then refresh forms and lists: Collect does both when a network comes."""
        assert self.tablet.send() == 0
        self.tablet.refresh()
        assert self.tablet.faults == []
        return self

    def refresh(self) -> "Officers":
        self.tablet.refresh()
        return self

    def sleep(self, days: int = 1) -> "Officers":
        self.now += timedelta(days=days)
        return self

    def fill(self, form_id: str, **told: "str | list[Told]") -> Record:
        """Fill a form as told; every answer must be one that the form takes."""
        self.now += timedelta(hours=1)
        record = self.tablet.fill(form_id, self.now, told)
        assert record.filled.problems == []
        return record

    def edit(self, record: Record, **told: str) -> Record:
        self.now += timedelta(hours=1)
        edited = self.tablet.edit(record, self.now, told)
        assert edited.filled.problems == []
        return edited

    def open_stay(self, ref: str, site: str = "", **told: str) -> str:
        """Open a stay offline; returns its id, which the tablet made."""
        before = set(self.rows())
        self.fill("ouvrir", ref=ref, site=site or self.tablet.officer.site, **told)
        [fresh] = set(self.rows()) - before
        return fresh

    def follow(self, stay: str, **values: str) -> Record:
        """Update a stay that this tablet has: no other can be chosen."""
        return self.fill("suivre", dossier=stay, quoi=" ".join(values), **values)

    def rows(self, name: str = "dossiers") -> dict[str, LocalEntity]:
        known = self.tablet.queue.entities.lists.get(name)
        return known.entities if known else {}

    def sees(self, stay: str, *names: str) -> tuple[object, ...]:
        """The values of a row on this tablet; `version` is its local version."""
        row = self.rows()[stay]
        return tuple(row.version if name == "version" else row.properties[name] for name in names)


@cache
def small_forms() -> list[FormFile]:
    """Five forms of one list that stories of single rules are told with."""
    read = [read_form(path.read_bytes(), path.name) for path in sorted(FORMS.glob("*.md"))]
    return [FormFile(one.xml, one.definition) for one in read]


def _bounded(app: Flask) -> Callable[..., Any]:
    """As gunicorn does, and werkzeug's server does not: a body ends where it ends."""

    def run(environ: dict[str, Any], start_response: Any) -> Any:
        environ["wsgi.input"] = get_input_stream(environ)
        return app(environ, start_response)

    return run


@contextmanager
def outposts(
    folder: Path, database_url: str, forms: Sequence[FormFile] | None = None, **given: Any
) -> Iterator[Outposts]:
    """Run the server with these forms, or the small ones, on a fresh, migrated database until the block ends."""
    settings = Settings(
        data_dir=str(folder), database_url=database_url, secret_key=SECRET, public_url="http://teral.test",
        log_level="ERROR", **given,
    )  # fmt: skip
    app = create_app(settings)
    with app.app_context():
        note_number(settings)
    server = make_server("127.0.0.1", 0, _bounded(app), threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    place = Outposts(app, settings, f"http://127.0.0.1:{server.server_port}")
    with place.looking() as session:
        for file in small_forms() if forms is None else forms:
            publish_form(session, file, {}, None, MONDAY)
    try:
        yield place
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        with app.app_context():
            db.engine.dispose()


def _submission(session: Session, record: Record) -> Submission:
    return session.scalars(select(Submission).where(Submission.instance_id == record.instance_id)).one()


def device_of(session: Session, officers: Officers) -> Device:
    return session.scalars(select(Device).where(Device.name == officers.tablet.officer.username)).one()
