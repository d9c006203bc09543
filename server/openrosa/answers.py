"""Answers with the headers without which Collect does not take a server for an OpenRosa one."""

import hashlib

from flask import Response, request

from server.openrosa.documents import render_response
from server.openrosa.errors import OpenRosaError
from server.openrosa.messages import find_translator

XML = "text/xml; charset=utf-8"
# What Collect assumes without an answer. Smaller parts are more likely to come through a thin link.
ACCEPTED_LENGTH = "10000000"


def base_url(path: str) -> str:
    """The absolute address of `path` as the tablet sees this server; proxies are server/proxies.py's matter."""
    return f"{request.environ['wsgi.url_scheme']}://{request.host}{path}"


def answer_document(body: bytes, content_type: str = XML, etag: str | None = None) -> Response:
    """A document that a tablet may keep, but must ask about each time: 304 saves it on thin links."""
    etag = etag or hashlib.md5(body, usedforsecurity=False).hexdigest()
    unchanged = etag in request.if_none_match
    response = Response(b"" if unchanged else body, 304 if unchanged else 200, content_type=content_type)
    response.headers["ETag"] = f'"{etag}"'
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return _as_openrosa(response)


def answer_message(message: str, status: int, language: str) -> Response:
    """An OpenRosaResponse: Collect shows its message to the officer."""
    nature = "submit_success" if status < 300 else "error"
    response = Response(render_response(message, nature), status, content_type=XML)
    response.headers["Content-Language"] = language
    return _as_openrosa(response)


def answer_error(error: OpenRosaError, language: str) -> Response:
    response = answer_message(find_translator(language)(error.message), error.status, language)
    response.headers.extend(error.headers)
    return response


def answer_head() -> Response:
    """204 and no Location: after one, Collect forgets the announced length for the rest of the run."""
    return _as_openrosa(Response(status=204))


def _as_openrosa(response: Response) -> Response:
    response.headers["X-OpenRosa-Version"] = "1.0"
    response.headers["X-OpenRosa-Accept-Content-Length"] = ACCEPTED_LENGTH
    return response
