"""How ODK Central's `/v1` is spoken: what a view takes and answers, as marshmallow shapes that also describe it."""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, TypeVar

import orjson
from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from marshmallow import Schema
from sqlalchemy.orm import Session
from werkzeug import Response

from server.accounts.permissions import PROGRAMS
from server.accounts.sessions import current_viewer
from server.extensions import db
from server.rest.problems import Problem
from sync.policy import Viewer

View = TypeVar("View", bound=Callable[..., Any])

# One installation is one project; tablets' addresses say the same number.
PROJECT = 1


class _Addresses(Blueprint):
    """Central takes an address with a slash at its end for the same one; ruODK makes entities at `…/entities/`."""

    def add_url_rule(self, rule: str, *args: Any, **options: Any) -> None:
        super().add_url_rule(rule, *args, strict_slashes=False, **options)


blueprint = _Addresses(PROGRAMS, __name__, url_prefix="/v1")


@dataclass(frozen=True, slots=True)
class More:
    """What is told beside of each row to whoever asks for extended metadata: its shape, and how it is found."""

    shape: type[Schema]
    find: Callable[[Session, Viewer, Sequence[Any]], Iterable[Mapping[str, Any]]]

    def add(self, session: Session, viewer: Viewer, rows: Sequence[Any], told: Sequence[dict[str, Any]]) -> None:
        """Add it to what is told of these rows; inside an object that is told already it stands beside its members."""
        for one, more in zip(told, self.shape(many=True).dump(self.find(session, viewer, rows)), strict=True):
            for name, value in more.items():
                one[name] = {**one[name], **value} if isinstance(one.get(name), dict) else value


def is_extended() -> bool:
    """Whether Central's extended metadata are asked for."""
    return request.headers.get("X-Extended-Metadata", "").lower() == "true"


def answers(
    shape: type[Schema], *, many: bool = False, more: More | None = None
) -> Callable[[View], Callable[..., ResponseReturnValue]]:
    """Let a view return rows or dicts: they are dumped by their shape, with `more` where extended metadata are asked
    for."""

    def wrap(view: View) -> Callable[..., ResponseReturnValue]:
        @functools.wraps(view)
        def speak(*args: Any, **kwargs: Any) -> ResponseReturnValue:
            result = view(*args, **kwargs)
            if isinstance(result, Response):
                return result
            rows = list(result) if many else [result]
            told = shape(many=True).dump(rows)
            if more is not None and is_extended():
                more.add(db.session(), current_viewer(), rows, told)
            return jsonify(told if many else told[0])

        speak.answer_shape, speak.answers_many, speak.more = shape, many, more  # type: ignore[attr-defined]
        return speak

    return wrap


def takes(shape: type[Schema]) -> Callable[[View], Callable[..., Any]]:
    """Hand the JSON body to the view as `body`, loaded by its shape."""

    def wrap(view: View) -> Callable[..., Any]:
        @functools.wraps(view)
        def hear(*args: Any, **kwargs: Any) -> Any:
            return view(*args, body=shape().load(read_json()), **kwargs)

        hear.body_shape = shape  # type: ignore[attr-defined]
        return hear

    return wrap


def read_json() -> dict[str, Any]:
    """The body as a JSON object; an empty body is an empty one."""
    try:
        # Stricter than Python's own, which takes half a character that no database could keep.
        body = orjson.loads(request.get_data()) if request.content_length else {}
    except orjson.JSONDecodeError as error:
        raise Problem(400.1, format="json") from error
    if not isinstance(body, dict):
        raise Problem(400.1, format="json")
    return body


def body_file() -> IO[bytes]:
    """The whole body, which lies in a file already (server/spooling.py)."""
    stream: IO[bytes] = request.environ["wsgi.input"]
    return stream


def is_on(name: str) -> bool:
    """A flag of the query: `true` in any writing, since pyodk says `True`."""
    return request.args.get(name, "").lower() == "true"


def read_number(name: str, least: int = 0) -> int | None:
    """A whole number of the query; None where it is not given."""
    text = request.args.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18 or int(text) < least:
        raise Problem(400.8, field=name, reason=f">= {least}")
    return int(text)


def gather(parts: Iterable[bytes], size: int = 64 * 1024) -> Iterator[bytes]:
    """Small parts put together, the first at once: each that is sent alone costs a system call here and there."""
    waiting, length = [], size
    for part in parts:
        waiting.append(part)
        length += len(part)
        if length >= size:
            yield b"".join(waiting)
            waiting, length = [], 0
    if waiting:
        yield b"".join(waiting)


def cut(rows: list[Any]) -> list[Any]:
    """The part of a short list that ?offset and ?limit ask for."""
    offset, limit = read_number("offset") or 0, read_number("limit")
    return rows[offset:] if limit is None else rows[offset : offset + limit]
