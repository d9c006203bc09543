"""A browser: every request has an application context and a session of its own, as on a server."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask
from flask.testing import FlaskClient

FRENCH = Path(__file__).parents[3] / "server/translations/fr/LC_MESSAGES/messages.po"


@pytest.fixture(scope="session", autouse=True)
def french_words(tmp_path_factory: pytest.TempPathFactory) -> None:
    """`make install` compiles them; a checkout that was never installed does it here."""
    compiled = FRENCH.with_suffix(".mo")
    if not compiled.exists() or compiled.stat().st_mtime < FRENCH.stat().st_mtime:
        fresh = tmp_path_factory.mktemp("words") / "messages.mo"
        with FRENCH.open("rb") as source, fresh.open("wb") as target:
            write_mo(target, read_po(source, locale="fr"))
        shutil.move(fresh, compiled)


class Browser(FlaskClient):
    def open(self, *args: Any, **kwargs: Any) -> Any:
        with self.application.app_context():
            return super().open(*args, **kwargs)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    return Browser(app, app.response_class)
