"""Fixtures for everybody: a migrated database of its own for each test, on SQLite or on both, and an application.

A test that must hold on both databases carries `@pytest.mark.both_databases`; with `postgresql="slow"` only
`make test-slow` runs it on PostgreSQL.
"""

import gc
import os
import shutil
import socket
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from forms import publishable
from server import create_app, extensions
from server.accounts import users
from server.config import Settings
from server.database import migrate
from server.extensions import db
from sync.db import prepare_sqlite
from tests.postgres import Reused, postgres_cluster

SECRET = "a-secret-of-tests-only-0123456789abcdef"


def pytest_configure() -> None:
    """Garbage is looked for seldom: that took a quarter of the time in which tests are found.

    Property tests draw the same each time, so that the gate says something of a change and not of chance; what draws
    anew is `make soak`.
    """
    gc.set_threshold(50_000, 20, 20)
    hypothesis.settings.register_profile("gate", derandomize=True)
    if "TERAL_SOAK" not in os.environ:
        hypothesis.settings.load_profile("gate")


def pytest_collection_finish() -> None:
    """What is loaded is not looked through again and again: that took a quarter of the tests' time."""
    gc.freeze()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if marker := metafunc.definition.get_closest_marker("both_databases"):
        metafunc.fixturenames.append("database")
        marks = [pytest.mark.slow] if marker.kwargs.get("postgresql") == "slow" else []
        metafunc.parametrize("database", ["sqlite", pytest.param("postgresql", marks=marks)], indirect=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything must run (TERAL_TESTS_MUST_NOT_SKIP), a skipped test is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("TERAL_TESTS_MUST_NOT_SKIP") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test talks to anything but this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> None:
    """The same hash with less work: each test logs somebody in, and none tries to guess a password."""
    users._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(scope="session", autouse=True)
def quick_disk() -> Iterator[None]:
    """Nothing that a test keeps is to outlive a power cut. Servers in processes of their own wait for the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _descriptor: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_sqlite(compiled_statements: dict[str, Engine]) -> Iterator[None]:
    """Nor does a database in this process wait, whoever opens it: a command, a post, or a test's own application."""

    def prepare(engine: Engine) -> None:
        prepare_sqlite(engine)
        event.listen(engine, "connect", _wait_for_no_disk)
        if engine.dialect.name in compiled_statements:
            _share_compiled(engine, compiled_statements)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extensions, "prepare_sqlite", prepare)
        yield


def _wait_for_no_disk(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates are compiled once, though every test has an application of its own."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture(scope="session", autouse=True)
def compiled_addresses() -> Iterator[None]:
    """So are addresses: to compile some hundred rules for each application took a third of the tests' time.

    werkzeug offers no way to hand compiled rules on, so its own compiling is wrapped: rules of the same text, defaults
    and converters compile to the same. Should werkzeug ever ask for more, this fixture is to go.
    """
    compile_rule, made = Rule.compile, dict[Any, dict[str, Any]]()

    def remember(rule: Rule) -> None:
        place = (rule.host, rule.map.host_matching, rule.subdomain, rule.merge_slashes)
        key = (rule.rule, *place, repr(rule.defaults), *rule.map.converters.values())
        if key not in made:
            before = dict(vars(rule))
            compile_rule(rule)
            new = {name: value for name, value in vars(rule).items() if value is not before.get(name)}
            made[key] = {**new, "arguments": rule.arguments}
        vars(rule).update(made[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "compile", remember)
        yield


@pytest.fixture(scope="session", autouse=True)
def converted_forms() -> Iterator[None]:
    """So are forms: many a test publishes the same workbook, and to convert a large one takes a third of a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishable, "read_publishable", lru_cache(200)(publishable.read_publishable))
        yield


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, made once; every test gets a copy of its own."""
    folder = tmp_path_factory.mktemp("template")
    _migrate(Settings(data_dir=str(folder), secret_key=SECRET))
    return folder / "teral.db"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The tests' own cluster; its database `teral` is migrated and serves as the template.

    A table that is vacuumed while a test fills what the one before has emptied counts as empty to the planner until
    that test commits, and a join of a thousand rows, planned for none, takes minutes.
    """
    with postgres_cluster("fsync=off", "full_page_writes=off", "synchronous_commit=off", "autovacuum=off") as url:
        _migrate(Settings(database_url=url, secret_key=SECRET))
        yield url


@pytest.fixture(scope="session")
def postgres_database(postgres_url: str) -> Iterator[Reused]:
    reused = Reused(postgres_url, "teral")
    yield reused
    reused.drop()


def _migrate(settings: Settings) -> None:
    with create_app(settings).app_context():
        migrate(db.engine)
        # Closing the last connection also folds SQLite's WAL into the file, so that it can be copied.
        db.engine.dispose()


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> Iterator[str]:
    """The address of a fresh, migrated database ("" is the SQLite file in tmp_path)."""
    if getattr(request, "param", "sqlite") == "sqlite":
        shutil.copy(sqlite_template, tmp_path / "teral.db")
        yield ""
        return
    reused = request.getfixturevalue("postgres_database")
    yield reused.url
    reused.renew()


@pytest.fixture
def settings(tmp_path: Path, database: str) -> Settings:
    return Settings(data_dir=str(tmp_path), database_url=database, secret_key=SECRET, public_url="http://teral.test")


@pytest.fixture(scope="session")
def compiled_statements() -> dict[str, Engine]:
    """So are statements: by dialect, the engine whose dialect and cache of compiled statements all others use."""
    return {}


def _share_compiled(engine: Engine, shared: dict[str, Engine]) -> None:
    first = shared.setdefault(engine.dialect.name, engine)
    if first is engine:
        # A dialect learns of its server with the first connection of its own engine, and not with those of others.
        engine.connect().close()
    # SQLAlchemy keeps what it compiled by the dialect's identity, in a cache of each engine: with an engine for each
    # test it compiled every statement anew, a fifth of the tests' time.
    engine.dialect, engine._compiled_cache = first.dialect, first._compiled_cache


@pytest.fixture
def app(
    settings: Settings, compiled_templates: FileSystemBytecodeCache, compiled_statements: dict[str, Engine]
) -> Iterator[Flask]:
    app = create_app(settings)
    app.testing = True
    app.jinja_env.bytecode_cache = compiled_templates
    with app.app_context():
        _share_compiled(db.engine, compiled_statements)
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def session(app: Flask) -> Session:
    return db.session()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
