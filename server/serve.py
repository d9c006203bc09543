"""The web server: gunicorn's threads, set up here and nowhere else, and what must be right before it starts."""

from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from sqlalchemy import select
from sqlalchemy.exc import OperationalError, ProgrammingError

from server import create_app
from server.config import ConfigError, Settings
from server.extensions import db
from server.openrosa.contacts import start_writer
from server.openrosa.routes import get_room
from sync.models import Setting


def serve(settings: Settings) -> None:
    """Check and serve until a signal ends it."""
    settings.check_secrets()
    app = create_app(settings)
    check_database(app, settings)
    WebServer(settings).run()


def check_database(app: Flask, settings: Settings) -> None:
    """Refuse a database that is not there, not migrated, or full of invented people."""
    with app.app_context():
        try:
            demo = db.session.scalar(select(Setting.value).where(Setting.name == "demo"))
        except (OperationalError, ProgrammingError) as error:
            raise ConfigError("The database is not ready: run `teral setup` first.") from error
        finally:
            db.session.remove()
            db.engine.dispose()
    if demo and not settings.demo:
        raise ConfigError("This database holds demo data and well-known passwords; `teral serve` refuses it.")


class WebServer(BaseApplication):  # type: ignore[misc]
    """gunicorn with our settings: no configuration file, no environment of its own."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        super().__init__()

    def load_config(self) -> None:
        for name, value in gunicorn_settings(self.settings).items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Called in each worker: connections and threads never cross a fork."""
        app = create_app(self.settings)
        self.writer = start_writer(get_room(app).contacts)
        return app


def gunicorn_settings(settings: Settings) -> dict[str, Any]:
    return {
        "bind": f"{settings.host}:{settings.port}",
        "worker_class": "gthread",
        "workers": settings.web_workers,
        "threads": settings.web_threads,
        "http_parser": "auto",
        # Collect asks after all its offline entities in one address (odk.md 1.3); application code caps what it takes.
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
        "accesslog": None,
        "control_socket_disable": True,
    }
