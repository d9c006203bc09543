"""Answers with the headers without which Collect does not take a server for an OpenRosa one."""

import hashlib

from werkzeug import Request, Response

from server.openrosa.documents import render_response
from server.openrosa.errors import OpenRosaError
from server.words import translator

XML = "text/xml; charset=utf-8"
# What Collect assumes without an answer. Smaller parts are more likely to come through a thin link.
ACCEPTED_LENGTH = "10000000"
OPENROSA = [("X-OpenRosa-Version", "1.0"), ("X-OpenRosa-Accept-Content-Length", ACCEPTED_LENGTH)]
NO_SNIFF = ("X-Content-Type-Options", "nosniff")


def answer_document(request: Request, body: bytes, content_type: str = XML, etag: str | None = None) -> Response:
    """A document that a tablet may keep, but must ask about each time: 304 saves it on thin links."""
    etag = etag or hashlib.md5(body, usedforsecurity=False).hexdigest()
    headers = [*OPENROSA, ("ETag", f'"{etag}"'), ("Cache-Control", "private, no-cache"), NO_SNIFF]
    # Weakly: a proxy that compresses marks the ETag as weak, and the tablet gives it back so.
    if "If-None-Match" in request.headers and request.if_none_match.contains_weak(etag):
        return Response(status=304, headers=headers)
    return Response(body, headers=headers, content_type=content_type)


def answer_message(message: str, status: int, language: str) -> Response:
    """An OpenRosaResponse: Collect shows its message to the officer."""
    nature = "submit_success" if status < 300 else "error"
    headers = [*OPENROSA, ("Content-Language", language)]
    return Response(render_response(message, nature), status, headers, content_type=XML)


def answer_error(error: OpenRosaError, language: str) -> Response:
    response = answer_message(translator(language)(error.message), error.status, language)
    response.headers.extend(error.headers)
    return response


def answer_head() -> Response:
    """204 and no Location: after one, Collect forgets the announced length for the rest of the run."""
    return Response(status=204, headers=OPENROSA)
