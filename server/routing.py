"""Paths as clients sent them: a form id may hold `/` or `%`, which WSGI's decoded PATH_INFO can no longer tell apart.

Inside a path segment an encoded slash travels as a private-use character; the `segment` converter turns it back.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from flask import Flask, abort, request
from werkzeug.exceptions import RequestURITooLarge
from werkzeug.routing import IntegerConverter, PathConverter, UnicodeConverter, ValidationError

WSGIApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

MAX_ADDRESS = 64 * 1024
MAX_ID = 2**31 - 1  # what a row's number can be
_SLASH = "\uf02f"
_ENCODED_SLASH = re.compile("%2f", re.IGNORECASE)


class SegmentConverter(UnicodeConverter):
    """One path segment holding any text."""

    def to_python(self, value: str) -> str:
        return value.replace(_SLASH, "/")

    def to_url(self, value: str) -> str:
        return quote(value, safe="")


class StepsConverter(PathConverter):
    """Steps of any text, line breaks too: what no address fits is answered in the manner of where it was asked."""

    regex = f"(?s:{PathConverter.regex})"


class IdConverter(IntegerConverter):
    """A row's number: one that no row can have is no page, and never reaches the database."""

    def to_python(self, value: str) -> int:
        try:
            return row_id(value)
        except ValueError as error:
            raise ValidationError from error


def row_id(text: str) -> int:
    """A row's number as an address or a form gives it; raises ValueError for what no row can have."""
    number = int(text)
    if not 0 <= number <= MAX_ID:
        raise ValueError(f"no row has the number {number}")
    return number


def refuse_nul() -> None:
    """PostgreSQL keeps no NUL, and no name or answer has one: what holds it was made to do harm."""
    if "\0" in request.path or any("\0" in text for _name, text in request.values.items(multi=True)):
        abort(400)


class RawPaths:
    """WSGI middleware: rebuilds PATH_INFO from the raw request line where an encoded slash was in it."""

    def __init__(self, app: WSGIApp) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        raw = environ.get("RAW_URI", "")
        if len(raw) > MAX_ADDRESS:
            return RequestURITooLarge()(environ, start_response)
        path = raw.partition("?")[0]
        if "%2" in path and path.startswith("/"):
            marked = _ENCODED_SLASH.sub(quote(_SLASH), path)
            environ["PATH_INFO"] = unquote_to_bytes(marked).decode("latin-1")
        return self.app(environ, start_response)


def init_app(app: Flask) -> None:
    app.url_map.converters.update(segment=SegmentConverter, path=StepsConverter, int=IdConverter)
    app.before_request(refuse_nul)


def read_raw_paths(app: Flask) -> None:
    """Wrap the application; comes after everything else that routes."""
    app.wsgi_app = RawPaths(app.wsgi_app)  # type: ignore[method-assign]
