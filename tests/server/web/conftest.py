"""A browser: every request has an application context and a session of its own, as on a server."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient


class Browser(FlaskClient):
    def open(self, *args: Any, **kwargs: Any) -> Any:
        with self.application.app_context():
            return super().open(*args, **kwargs)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    return Browser(app, app.response_class)
