"""The OpenAPI description of `/v1`, made from its routes and their marshmallow shapes: it cannot fall behind."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask, current_app, jsonify
from flask.typing import ResponseReturnValue
from werkzeug.routing import Rule

from server.accounts.permissions import PROGRAMS, PUBLIC, permission, permission_of
from server.rest.shapes import Moment, ProblemShape
from server.rest.speech import blueprint

_ARGUMENT = re.compile(r"<(?:[^:>]+:)?([^>]+)>")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@blueprint.get("/openapi.json")
@permission(PUBLIC)
def description() -> ResponseReturnValue:
    return jsonify(describe(current_app._get_current_object()))  # type: ignore[attr-defined]


@cache
def describe(app: Flask) -> dict[str, Any]:
    plugin = MarshmallowPlugin()
    spec = APISpec(
        title="Teral", version="1", openapi_version="3.0.3", plugins=[plugin],
        info={"description": "What ODK Central's /v1 says, for pyodk, OData readers and scripts."},
        servers=[{"url": "/"}],
    )  # fmt: skip
    plugin.map_to_openapi_type(Moment, "string", "date-time")  # type: ignore[no-untyped-call]
    spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    for path, operations in _list_paths(app):
        spec.path(path=path, operations=operations)
    return spec.to_dict()


def _list_paths(app: Flask) -> Iterator[tuple[str, dict[str, Any]]]:
    found: dict[str, dict[str, Any]] = {}
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith(f"{PROGRAMS}.") and "path:" not in rule.rule:
            told = found.setdefault(_ARGUMENT.sub(r"{\1}", rule.rule), {})
            for method in _METHODS:
                if method in (rule.methods or ()):
                    told[method.lower()] = _describe(app, rule)
    yield from sorted(found.items())


def _describe(app: Flask, rule: Rule) -> dict[str, Any]:
    view = app.view_functions[rule.endpoint]
    told: dict[str, Any] = {
        "summary": (view.__doc__ or rule.endpoint.partition(".")[2].replace("_", " ")).strip().splitlines()[0],
        "parameters": [_parameter(name, rule) for name in sorted(rule.arguments)] + _list_headers(view),
        "responses": {"200": _answer(view), "default": _content("A refusal.", ProblemShape)},
    }
    if permission_of(rule.endpoint) != PUBLIC:
        told["security"] = [{"token": []}]
    body = getattr(view, "body_shape", None)
    if body is not None:
        told["requestBody"] = {"required": True, **_content("", body)}
        del told["requestBody"]["description"]
    return told


def _parameter(name: str, rule: Rule) -> dict[str, Any]:
    number = type(rule._converters[name]).__name__ == "IntegerConverter"
    return {"name": name, "in": "path", "required": True, "schema": {"type": "integer" if number else "string"}}


def _list_headers(view: Any) -> list[dict[str, Any]]:
    if getattr(view, "more", None) is None:
        return []
    words = "true: counts are told as well, and who did it."
    return [{"name": "X-Extended-Metadata", "in": "header", "description": words, "schema": {"type": "boolean"}}]


def _answer(view: Any) -> dict[str, Any]:
    shape = getattr(view, "answer_shape", None)
    if shape is None:
        return {"description": "A document or a file."}
    return _content("What was asked for.", shape, many=view.answers_many)


def _content(words: str, shape: Any, *, many: bool = False) -> dict[str, Any]:
    told = {"type": "array", "items": shape} if many else shape
    return {"description": words, "content": {"application/json": {"schema": told}}}
