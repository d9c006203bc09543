"""Fixtures for everybody: a migrated database per test run, an application, and rollback or fresh files per test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from server import create_app
from server.config import Settings
from server.database import migrate
from server.extensions import db

SECRET = "a-secret-of-tests-only-0123456789abcdef"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, made once; every test gets a copy of its own."""
    folder = tmp_path_factory.mktemp("template")
    app = create_app(Settings(data_dir=str(folder), secret_key=SECRET))
    with app.app_context():
        migrate(db.engine)
        with db.engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql("BEGIN")
        db.engine.dispose()
    return folder / "teral.db"


@pytest.fixture
def settings(tmp_path: Path, sqlite_template: Path) -> Settings:
    shutil.copy(sqlite_template, tmp_path / "teral.db")
    return Settings(data_dir=str(tmp_path), secret_key=SECRET, public_url="http://teral.test")


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    app.testing = True
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def session(app: Flask) -> Session:
    return db.session()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
