"""Whole bodies before the application begins: what it locks, others wait for, and a client may be slow.

How slow it may be is decided at the edge (patience.py).
"""

import threading
from collections.abc import Callable, Iterable
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from flask import Flask
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge, RequestTimeout
from werkzeug.wsgi import get_content_length

from server.routing import WSGIApp

_IN_MEMORY = 512 * 1024
_CHUNK = 64 * 1024


class TooSlow(TimeoutError):
    """The client's time is up, and its request is not whole."""


class Spooled:
    """WSGI middleware: reads the body to its end, then lets in so many requests at a time as there are seats."""

    def __init__(self, app: WSGIApp, most_bytes: int, seats: int) -> None:
        self.app = app
        self.most_bytes = most_bytes
        self.seats = threading.Semaphore(seats)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with SpooledTemporaryFile(_IN_MEMORY) as body:
            try:
                _take_body(environ, body, self.most_bytes)
            except HTTPException as refusal:
                return refusal(environ, start_response)
            with self.seats:
                return self.app(environ, start_response)


def _take_body(environ: dict[str, Any], body: IO[bytes], most_bytes: int) -> None:
    announced = get_content_length(environ)
    if announced is not None and announced > most_bytes:
        raise RequestEntityTooLarge
    try:
        _copy(environ["wsgi.input"], body, most_bytes if announced is None else announced)
    except TooSlow as error:
        raise RequestTimeout from error
    except OSError as error:
        raise BadRequest from error
    if announced is not None and body.tell() < announced:
        raise BadRequest
    environ["CONTENT_LENGTH"] = str(body.tell())
    environ["wsgi.input"] = body
    body.seek(0)


def _copy(source: IO[bytes], body: IO[bytes], most_bytes: int) -> None:
    while chunk := source.read(min(_CHUNK, most_bytes + 1 - body.tell())):
        body.write(chunk)
        if body.tell() > most_bytes:
            raise RequestEntityTooLarge


def init_app(app: Flask) -> None:
    settings = app.extensions["teral_settings"]
    spooled = Spooled(app.wsgi_app, settings.max_body_mb * 1024 * 1024, settings.web_threads)
    app.wsgi_app = spooled  # type: ignore[method-assign]
