"""A few open connections serve all threads, and a broken one serves nobody twice."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from server.extensions import db
from server.openrosa.reading import Reader

pytestmark = pytest.mark.both_databases
ONE = text("SELECT 1")


@pytest.fixture
def reader(app: Flask) -> Reader:
    return Reader(db.engine, 2)


def test_connections_are_used_again(reader: Reader) -> None:
    seen = []
    for _ in range(6):
        with reader.connect() as connection:
            seen.append(id(connection))
    assert len(set(seen)) == 2


def test_no_statement_leaves_a_transaction_open(reader: Reader) -> None:
    with reader.connect() as connection:
        connection.execute(ONE)
        assert connection.connection.driver_connection is not None
        assert not getattr(connection.connection.driver_connection, "in_transaction", False)


def test_broken_connection_is_replaced(reader: Reader) -> None:
    with pytest.raises(DBAPIError), reader.connect() as connection:
        connection.execute(text("SELECT * FROM nothing"))
    assert connection.closed
    for _ in range(2):
        with reader.connect() as fresh:
            assert fresh.execute(ONE).scalar() == 1


def test_other_errors_break_no_connection(reader: Reader) -> None:
    with pytest.raises(ValueError, match="ours"), reader.connect() as connection:
        raise ValueError("ours")
    assert not connection.closed


def test_who_finds_none_free_waits_for_one(reader: Reader) -> None:
    began, waited = Event(), Event()

    def ask() -> object:
        began.set()
        with reader.connect() as connection:
            assert waited.is_set()
            return connection.execute(ONE).scalar()

    with ThreadPoolExecutor(1) as pool:
        with reader.connect(), reader.connect():
            asked = pool.submit(ask)
            began.wait(10)
            waited.set()
        assert asked.result(10) == 1


def test_disposing_of_the_engine_closes_what_is_kept(reader: Reader) -> None:
    with reader.connect() as connection:
        pass
    db.engine.dispose()
    assert connection.closed
    with reader.connect(), reader.connect() as fresh:
        assert fresh.execute(ONE).scalar() == 1
