"""The face of Teral: create_app wires extensions, blueprints, errors and the command line; nothing else."""

import gc

# What is loaded here stays. To look through it for garbage, again and again while it grows, took a fifth of each start,
# and whoever looked later took as long once more.
gc.disable()

from flask import Flask

from server import keys, openrosa, proxies, rest, routing, spooling, web
from server.config import Settings
from server.extensions import init_extensions
from server.faults import Application

gc.freeze()
gc.enable()


def create_app(settings: Settings | None = None) -> Flask:
    """Make the web application from settings (by default those of the environment)."""
    app = Application(__name__, static_folder="static", template_folder="templates")
    settings = settings or Settings.from_environment()
    app.config.update(settings.flask_config())
    app.extensions["teral_settings"] = settings
    init_extensions(app)
    keys.init_app(app)
    routing.init_app(app)
    spooling.init_app(app)
    openrosa.init_app(app)
    web.init_app(app)
    rest.init_app(app)
    routing.read_raw_paths(app)
    proxies.init_app(app, settings.trusted_proxies)
    return app
