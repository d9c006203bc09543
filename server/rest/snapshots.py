"""Exports that can be taken up again: what is streamed is kept beside for a day, and a Range is served from there.

A thin link breaks in the middle of a million rows; by then the rows have changed. So the rest comes from the same
snapshot, which its ETag names, and only to the account and for the address that it was made for.
"""

import hashlib
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from flask import Response, current_app, request, send_file
from flask.typing import ResponseReturnValue

from server.accounts.sessions import current_viewer
from server.web.headers import as_download

KEPT_S = 24 * 3600
_FOLDER = "exports"


def answer_snapshot(write: Callable[[], Iterator[bytes]], mimetype: str, name: str) -> ResponseReturnValue:
    """Stream a fresh export and keep it; or the rest of a kept one, where the request names it in If-Range."""
    folder = spare_folder()
    kept = _find_kept(folder)
    if kept is not None:
        answer = send_file(kept, mimetype, conditional=True, etag=kept.name)
        answer.headers.update(as_download(name))
        return answer
    etag = f"{_prefix()}{uuid.uuid4().hex}"
    headers = {**as_download(name), "ETag": f'"{etag}"', "Accept-Ranges": "bytes"}
    return Response(_keep(write(), folder / etag), mimetype=mimetype, headers=headers)


def spare_folder() -> Path:
    """Where exports are kept for a day, on the data's own disk."""
    folder: Path = current_app.extensions["teral_settings"].data_path / _FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    for one in folder.iterdir():
        # Another request may name a whole one, or forget an old one, as we do.
        with suppress(FileNotFoundError):
            if one.stat().st_mtime < time.time() - KEPT_S:
                one.unlink()
    return folder


def _prefix() -> str:
    """Who asks, in which role, for what: a snapshot is of use to nobody else."""
    viewer = current_viewer()
    told = f"{viewer.actor_id} {viewer.role} {viewer.site_id} {request.full_path}"
    return hashlib.sha256(told.encode()).hexdigest()[:24]


def _find_kept(folder: Path) -> Path | None:
    named = request.if_range.etag
    if "Range" not in request.headers or named is None or not named.startswith(_prefix()) or not named.isalnum():
        return None
    kept = folder / named
    return kept if kept.is_file() else None


def _keep(source: Iterator[bytes], target: Path) -> Iterator[bytes]:
    """What is streamed, written down on the way; when the client goes away, the rest is still written down."""
    part = target.with_suffix(".part")
    with part.open("wb") as file:
        try:
            for chunk in source:
                file.write(chunk)
                yield chunk
        except GeneratorExit:
            for chunk in source:
                file.write(chunk)
            part.rename(target)
            raise
    part.rename(target)
