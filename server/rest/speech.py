"""How ODK Central's `/v1` is spoken: what a view takes and answers, as marshmallow shapes that also describe it."""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, TypeVar

import orjson
from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from marshmallow import Schema, ValidationError, fields
from sqlalchemy.orm import Session
from werkzeug import Response

from server.accounts.permissions import PROGRAMS
from server.accounts.sessions import current_viewer
from server.extensions import db
from server.rest.problems import Problem
from sync.policy import Viewer

View = TypeVar("View", bound=Callable[..., Any])
JSON, ANY, XML = "application/json", "*/*", ("application/xml", "text/xml")
# Of one thing, or of one of several; a field where the whole is no object.
Form = type[Schema] | fields.Field[Any] | tuple[type[Schema], ...]

# One installation is one project; tablets' addresses say the same number.
PROJECT = 1
# A list that is always empty here.
NONE = fields.List(fields.Dict())


class _Addresses(Blueprint):
    """Central takes an address with a slash at its end for the same one; ruODK makes entities at `…/entities/`."""

    def add_url_rule(self, rule: str, *args: Any, **options: Any) -> None:
        super().add_url_rule(rule, *args, strict_slashes=False, **options)


blueprint = _Addresses(PROGRAMS, __name__, url_prefix="/v1")


@dataclass(frozen=True, slots=True)
class Content:
    """What goes one way, for the description: its media types and, if it is JSON, its form."""

    kinds: tuple[str, ...] = (JSON,)
    form: Form | None = None
    required: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)  # by name, what they say


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

        form = fields.List(fields.Nested(shape)) if many else shape
        speak.answer, speak.more = Content(form=form), more  # type: ignore[attr-defined]
        return speak

    return wrap


def writes(*kinds: str, form: Form | None = None) -> Callable[[View], View]:
    """Mark a view that writes its answer itself: of which media types, and of which form if it is JSON."""

    def mark(view: View) -> View:
        view.answer = Content(kinds, form)  # type: ignore[attr-defined]
        return view

    return mark


def takes(*shapes: type[Schema]) -> Callable[[View], Callable[..., Any]]:
    """Hand the JSON body to the view as `body`, loaded by its shape; of several, the first whose members are there."""

    loaders = [shape() for shape in shapes]

    def wrap(view: View) -> Callable[..., Any]:
        @functools.wraps(view)
        def hear(*args: Any, **kwargs: Any) -> Any:
            told = read_json()
            return view(*args, body=_choose(loaders, told).load(told), **kwargs)

        hear.body = Content(form=shapes if len(shapes) > 1 else shapes[0])  # type: ignore[attr-defined]
        return hear

    return wrap


def _choose(loaders: Sequence[Schema], told: Mapping[str, Any]) -> Schema:
    for loader in loaders:
        if all(one.data_key in told for one in loader.fields.values() if one.required):
            return loader
    return loaders[-1]


def reads(*kinds: str, required: bool = True, headers: Mapping[str, str] | None = None) -> Callable[[View], View]:
    """Mark a view that reads its body itself, as a document or a file of these media types, and these headers."""

    def mark(view: View) -> View:
        view.body = Content(kinds, required=required, headers=headers or {})  # type: ignore[attr-defined]
        return view

    return mark


def asks(shape: type[Schema]) -> Callable[[View], Callable[..., Any]]:
    """Hand what the address asks for behind its `?` to the view as `asked`, loaded by its shape."""

    loader = shape()

    def wrap(view: View) -> Callable[..., Any]:
        @functools.wraps(view)
        def hear(*args: Any, **kwargs: Any) -> Any:
            return view(*args, asked=read_asked(loader), **kwargs)

        add_query(hear, loader)
        return hear

    return wrap


def add_query(view: Callable[..., Any], loader: Schema) -> None:
    view.queries = (*getattr(view, "queries", ()), loader)  # type: ignore[attr-defined]


def read_asked(loader: Schema) -> dict[str, Any]:
    """Every parameter of a shape, as it is given, or as it is meant without, or None; others are left aside."""
    try:
        return {**dict.fromkeys(loader.fields), **loader.load(request.args.to_dict())}
    except ValidationError as error:
        name, said = next(iter(error.messages_dict.items()))
        if name not in request.args:
            raise Problem(400.2, field=name) from error
        raise Problem(400.8, field=name, reason=", ".join(said)) from error


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
