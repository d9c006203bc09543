"""A place to work for tests with a real server: a site, a tablet, a published form, and a look into the database."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from server import create_app
from server.accounts.credentials import enrol_device
from server.config import Settings
from server.extensions import db
from sync.publishing import FormFile, add_draft, publish_form
from tests.live import demo_settings
from tests.sync.factory import add_site, form_file

BOUNDARY = "teral-boundary"


@dataclass(frozen=True)
class Field:
    settings: Settings
    path: str  # of the tablet's project
    draft_token: str | None = None

    def count(self, instance_id: str) -> int:
        return int(self.ask("SELECT count(*) FROM submissions WHERE instance_id = ?", instance_id)[0][0])

    def collect_id(self) -> str | None:
        found: str | None = self.ask("SELECT collect_id FROM devices")[0][0]
        return found

    def ask(self, statement: str, *values: str) -> list[tuple[object, ...]]:
        """Read the database as another program would."""
        with closing(sqlite3.connect(self.settings.data_path / "teral.db")) as connection:
            return connection.execute(statement, values).fetchall()


def make_field(folder: Path, template: Path, draft: str | None = None) -> Field:
    """Lay out a fresh SQLite database for a server that is still to start; `draft` is the id of a form to test."""
    shutil.copy(template, folder / "teral.db")
    settings = replace(demo_settings(folder), log_level="INFO")
    with create_app(settings).app_context():
        session, now = db.session(), datetime.now(UTC)
        publish_form(session, form_file(), {}, None, now)
        enrolment = enrol_device(session, settings, add_site(session), "ROS-1", now)
        token = _add_draft(draft, now) if draft else None
        session.commit()
        db.engine.dispose()
    return Field(settings, urlsplit(enrolment.server_url).path, token)


def _add_draft(form_id: str, now: datetime) -> str | None:
    known = form_file("brouillon")
    file = FormFile(known.xml, replace(known.definition, form_id=form_id))
    return add_draft(db.session(), file, {}, now).draft_token


def multipart(xml: bytes, **files: bytes) -> tuple[bytes, str]:
    """A body as Collect builds it, and its content type."""
    parts = [b'name="xml_submission_file"; filename="a.xml"\r\nContent-Type: text/xml\r\n\r\n' + xml]
    parts += [
        f'name="{name}"; filename="{name}"\r\nContent-Type: application/octet-stream\r\n\r\n'.encode() + body
        for name, body in files.items()
    ]
    opening = f"--{BOUNDARY}\r\nContent-Disposition: form-data; ".encode()
    body = b"".join(opening + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()
    return body, f"multipart/form-data; boundary={BOUNDARY}"
