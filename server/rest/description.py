"""The OpenAPI description of `/v1`, made from its routes and from what stands beside each view: it cannot fall behind.

What a view asks for, takes and answers is said by the decorators of speech.py, which also parse and write by it.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask, current_app, jsonify
from flask.typing import ResponseReturnValue
from marshmallow import fields
from werkzeug.routing import AnyConverter, IntegerConverter, PathConverter, Rule

from server.accounts.permissions import PROGRAMS, PUBLIC, permission, permission_of
from server.rest.shapes import Moment, ProblemShape
from server.rest.speech import JSON, Content, Form, blueprint, writes
from server.routing import MAX_ID

_ARGUMENT = re.compile(r"<(?:[^:>]+:)?([^>]+)>")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_EVERYTHING = {"anywhere"}  # the rule that answers for all addresses that there are not
_REFUSAL = Content((JSON,), ProblemShape)


@blueprint.get("/openapi.json")
@permission(PUBLIC)
@writes(JSON, form=fields.Dict())
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
    for path, operations in _list_paths(app, plugin):
        spec.path(path=path, operations=operations)
    return spec.to_dict()


def _list_paths(app: Flask, plugin: MarshmallowPlugin) -> Iterator[tuple[str, dict[str, Any]]]:
    found: dict[str, dict[str, Any]] = {}
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith(f"{PROGRAMS}.") and rule.arguments != _EVERYTHING:
            told = found.setdefault(_ARGUMENT.sub(r"{\1}", rule.rule), {})
            for method in _METHODS:
                if method in (rule.methods or ()):
                    told[method.lower()] = _describe(app, rule, plugin)
    yield from sorted(found.items())


def _describe(app: Flask, rule: Rule, plugin: MarshmallowPlugin) -> dict[str, Any]:
    view = app.view_functions[rule.endpoint]
    asked = [{"in": "query", "schema": loader} for loader in getattr(view, "queries", ())]
    told: dict[str, Any] = {
        "summary": (view.__doc__ or rule.endpoint.partition(".")[2].replace("_", " ")).strip().splitlines()[0],
        "parameters": [_parameter(name, rule) for name in sorted(rule.arguments)] + asked + _list_headers(view),
        "responses": {**_list_answers(view, plugin), "default": _answer("A refusal.", _REFUSAL, plugin)},
    }
    if permission_of(rule.endpoint) != PUBLIC:
        told["security"] = [{"token": []}]
    if body := getattr(view, "body", None):
        told["requestBody"] = {"required": body.required, "content": _content(body, plugin)}
    return told


def _parameter(name: str, rule: Rule) -> dict[str, Any]:
    told = {"name": name, "in": "path", "required": True, "schema": _path_schema(rule._converters[name])}
    if isinstance(rule._converters[name], PathConverter):
        told["description"] = "One step or several, with a slash between them."
    return told


def _path_schema(converter: Any) -> dict[str, Any]:
    if isinstance(converter, IntegerConverter):
        return {"type": "integer", "minimum": 0, "maximum": MAX_ID}
    if isinstance(converter, AnyConverter):
        return {"type": "string", "enum": sorted(converter.items)}
    return {"type": "string", "minLength": 1}


def _list_headers(view: Any) -> list[dict[str, Any]]:
    told = [(name, words, "string") for name, words in getattr(view, "body", Content()).headers.items()]
    if getattr(view, "more", None) is not None:
        told.append(("X-Extended-Metadata", "true: counts are told as well, and who did it.", "boolean"))
    return [
        {"name": name, "in": "header", "description": words, "schema": {"type": kind}} for name, words, kind in told
    ]


def _list_answers(view: Any, plugin: MarshmallowPlugin) -> dict[str, Any]:
    """What has no answer is what Teral has not on purpose (unsupported.py)."""
    answer = getattr(view, "answer", None)
    if answer is None:
        return {"501": _answer("Not to be had here.", _REFUSAL, plugin)}
    return {"200": _answer("What was asked for.", answer, plugin)}


def _answer(words: str, answer: Content, plugin: MarshmallowPlugin) -> dict[str, Any]:
    return {"description": words, "content": _content(answer, plugin)}


def _content(content: Content, plugin: MarshmallowPlugin) -> dict[str, Any]:
    return {kind: {"schema": _schema(content.form, plugin)} for kind in content.kinds}


def _schema(form: Form | None, plugin: MarshmallowPlugin) -> Any:
    if form is None:
        return {"type": "string", "format": "binary"}
    if isinstance(form, tuple):
        return {"anyOf": list(form)}
    if isinstance(form, fields.Field):
        return plugin.converter.field2property(form)  # type: ignore[union-attr]
    return form
