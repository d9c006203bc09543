"""The web server: gunicorn's threads, set up here and nowhere else, and what must be right before it starts.

gunicorn was chosen by measurement among servers that hand over the raw address (RAW_URI): `%2F` must reach us as sent.
"""

import gc
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from server import create_app
from server.config import ConfigError, Settings
from server.database import newest_revision, read_revision
from server.extensions import db
from server.logs import AccessLogger
from server.openrosa.contacts import start_writer
from server.openrosa.routes import get_room
from server.patience import make_worker
from server.relay import note_number
from sync.models import Setting

# For each request that is worked on, so many may be on their way over thin links.
WAITING = 8
NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "sshfs", "ceph", "glusterfs", "afs"})


def serve(settings: Settings) -> None:
    """Check and serve until a signal ends it."""
    settings.check_secrets()
    check_storage(settings)
    app = create_app(settings)
    check_database(app, settings)
    # What is loaded by now stays shared with the workers: the collector writes into all that it looks at, and each page
    # that it writes into becomes a copy of the worker's own (70 MB for two).
    del app
    gc.collect()
    gc.freeze()
    WebServer(settings).run()


def check_database(app: Flask, settings: Settings) -> None:
    """Refuse a database that is not there, not migrated, or full of invented people."""
    check_migrated(app)
    with app.app_context():
        note_number(settings)
        demo = db.session.scalar(select(Setting.value).where(Setting.name == "demo"))
        db.session.remove()
        db.engine.dispose()
    if demo and not settings.demo:
        raise ConfigError("This database holds demo data and well-known passwords; only `teral run` starts on it.")


def check_migrated(app: Flask) -> None:
    """Refuse a database that is not there or of another version than the program."""
    with app.app_context():
        try:
            with db.engine.connect() as connection:
                current = read_revision(connection)
        except OperationalError as error:
            raise ConfigError("The database cannot be opened; is its address right, and does it run?") from error
        finally:
            db.engine.dispose()
    if current != newest_revision():
        raise ConfigError("The database is not ready: run `teral setup` first.")


def check_storage(settings: Settings, mounts: Path = Path("/proc/mounts")) -> None:
    """Refuse SQLite where it breaks its promises: on a network file system locks and fsync are not to be trusted."""
    if not settings.sqlalchemy_url.startswith("sqlite") or not mounts.exists():
        return
    folder = settings.data_path.resolve()
    points = [line.split()[1:3] for line in mounts.read_text().splitlines()]
    holding = [(len(point), kind) for point, kind in points if folder.is_relative_to(point)]
    kind = max(holding, default=(0, ""))[1]
    if kind.removeprefix("fuse.") in NETWORK_FILE_SYSTEMS:
        raise ConfigError(f"SQLite cannot be trusted on a {kind} file system; set TERAL_DATABASE_URL to PostgreSQL.")


class WebServer(BaseApplication):  # type: ignore[misc]
    """gunicorn with our settings: no configuration file, no environment of its own."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.app: Flask | None = None
        super().__init__()

    def load_config(self) -> None:
        for name, value in gunicorn_settings(self.settings).items():
            self.cfg.set(name, value)
        self.cfg.set("worker_exit", self.end_worker)

    def load(self) -> Flask:
        """Called in each worker: connections and threads never cross a fork."""
        self.app = create_app(self.settings)
        start_writer(get_room(self.app).contacts)
        return self.app

    def end_worker(self, _arbiter: Any, _worker: Any) -> None:
        """A stopping process writes what its tablets told in the last second."""
        if self.app is not None:
            get_room(self.app).contacts.flush()


def gunicorn_settings(settings: Settings) -> dict[str, Any]:
    return {
        "bind": f"{settings.host}:{settings.port}",
        "worker_class": make_worker(settings),
        "workers": settings.web_workers,
        # Most only wait for slow clients; what works is limited by seats (spooling.py, openrosa/reading.py).
        "threads": settings.web_threads * WAITING,
        "http_parser": "auto",
        # Collect asks after all its offline entities in one address; server/routing.py caps what is taken.
        "limit_request_line": 0,
        "limit_request_field_size": 65536,
        # X-Forwarded-* is server/proxies.py's matter, for named proxies only.
        "forwarded_allow_ips": "",
        "forwarder_headers": "",
        "keepalive": 65,
        "timeout": 120,
        "graceful_timeout": 30,
        "worker_connections": 1000,
        "backlog": 2048,
        "proc_name": "teral",
        "loglevel": settings.log_level.lower(),
        # gunicorn writes it whatever the level is.
        "accesslog": "-" if settings.log_level.upper() in ("DEBUG", "INFO") else None,
        "logger_class": AccessLogger,
        "control_socket_disable": True,
    }
