"""Pages begin when the whole request is here, and so many at a time as there are seats."""

import io
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from werkzeug.test import Client, EnvironBuilder, run_wsgi_app

from server.spooling import Spooled, TooSlow


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Length", environ["CONTENT_LENGTH"])])
    return [environ["wsgi.input"].read()]


class Dying(io.BytesIO):
    """A connection that ends in this way after what it holds."""

    def __init__(self, error: OSError) -> None:
        super().__init__(b"half")
        self.error = error

    def read(self, size: int | None = -1) -> bytes:
        if data := super().read(size):
            return data
        raise self.error


def send(stream: io.BytesIO, length: int | None) -> str:
    environ = EnvironBuilder(method="POST").get_environ() | {"wsgi.input": stream}
    environ["CONTENT_LENGTH"] = "" if length is None else str(length)
    environ |= {"HTTP_TRANSFER_ENCODING": "chunked"} if length is None else {}
    return run_wsgi_app(Spooled(echo, 100, 1), environ)[1]


def test_body_is_handed_on_whole() -> None:
    assert Client(Spooled(echo, 100, 1)).post(data=b"a body").data == b"a body"


def test_body_without_a_length_gets_one() -> None:
    assert send(io.BytesIO(b"chunks"), None) == "200 OK"


@pytest.mark.parametrize("length", [101, None], ids=["announced", "chunked"])
def test_too_large_a_body_is_refused(length: int | None) -> None:
    assert send(io.BytesIO(b"x" * 101), length).startswith("413")


def test_body_that_was_cut_off_reaches_nobody() -> None:
    assert send(io.BytesIO(b"half"), 8).startswith("400")
    assert send(Dying(ConnectionResetError()), 8).startswith("400")


def test_client_that_is_too_slow_is_told() -> None:
    assert send(Dying(TooSlow()), 8).startswith("408")


def test_no_more_work_at_a_time_than_there_are_seats() -> None:
    inside, most, lock = [0], [0], threading.Lock()

    def count(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        threading.Event().wait(0.02)
        with lock:
            inside[0] -= 1
        return echo(environ, start_response)

    app = Spooled(count, 100, 2)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: Client(app).post(data=b"x").status_code, range(8)))
    assert (answers, most) == ([200] * 8, [2])
