"""Exports that can be taken up again: what is streamed is kept beside for a day, and a Range is served from there.

A thin link breaks in the middle of a million rows; by then the rows have changed. So the rest comes from the same
snapshot, which its ETag names, and only to the account and for the address that it was made for.
"""

import hashlib
import uuid
from collections.abc import Callable, Iterator

from flask import Response, request, send_file
from flask.typing import ResponseReturnValue

from server.accounts.sessions import current_viewer
from server.extensions import db
from server.kept_exports import find_kept_exports
from server.web.headers import as_download


def answer_snapshot(write: Callable[[], Iterator[bytes]], mimetype: str, name: str) -> ResponseReturnValue:
    """Stream a fresh export and keep it; or the rest of a kept one, where the request names it in If-Range."""
    exports, asked = find_kept_exports(db.session()), _find_asked()
    exports.clear()
    kept = exports.find(asked) if asked is not None else None
    if kept is not None:
        answer = send_file(kept, mimetype, conditional=True, etag=asked or False)
        answer.headers.update(as_download(name))
        return answer
    etag = f"{_prefix()}{uuid.uuid4().hex}"
    headers = {**as_download(name), "ETag": f'"{etag}"', "Accept-Ranges": "bytes"}
    return Response(exports.keep(etag, write()), mimetype=mimetype, headers=headers)


def _prefix() -> str:
    """Who asks, in which role, for what: a snapshot is of use to nobody else."""
    viewer = current_viewer()
    told = f"{viewer.actor_id} {viewer.role} {viewer.site_id} {request.full_path}"
    return hashlib.sha256(told.encode()).hexdigest()[:24]


def _find_asked() -> str | None:
    """The snapshot of which the request wants a part, if it was made for who asks."""
    named = request.if_range.etag
    return named if "Range" in request.headers and named is not None and named.startswith(_prefix()) else None
