"""What ODK Collect speaks: form list, manifest, downloads, submissions (OpenRosa 1.0 as Collect really does it)."""

from flask import Flask

from server.openrosa import routes


def init_app(app: Flask) -> None:
    routes.init_app(app)
