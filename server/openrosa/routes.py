"""The three ways in (a token in the address, user name and password, a draft's token) to the same few documents.

Tablets are answered before Flask builds its contexts: measured, these cost three times what a form list itself does.
Flask knows the addresses all the same, so that its rules and tests hold for them.
"""

import logging
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote

from flask import Blueprint, Flask, current_app
from sqlalchemy import Connection
from werkzeug import Request, Response
from werkzeug.routing import Map, Rule

from server.accounts.permissions import TABLET, permission
from server.extensions import attachment_store, db
from server.faults import render_fault
from server.openrosa import downloads, submission
from server.openrosa.answers import answer_error
from server.openrosa.callers import identify_by_draft, identify_by_login, identify_by_token
from server.openrosa.errors import translate_error
from server.openrosa.room import Caller, Room, Visit
from server.routing import SegmentConverter, WSGIApp

log = logging.getLogger("teral.openrosa")

KEY = "/v1/key/<segment:token>/projects/1"
DRAFT = "/v1/test/<segment:token>/projects/1/forms/<segment:form_id>/draft"
OURS_BELOW = ("/v1/key/", "/v1/test/", "/openrosa/")
OURS = ("/formList", "/submission")
READ = ("GET",)
SEND = ("HEAD", "POST")

Arguments = dict[str, Any]
Identify = Callable[[Room, Connection, Request, Arguments], Caller]
View = Callable[..., Response]


@dataclass(frozen=True, slots=True)
class _Endpoint:
    identify: Identify
    view: View
    kind: str  # of the contact


def _by_token(room: Room, connection: Connection, request: Request, arguments: Arguments) -> Caller:
    return identify_by_token(room, connection, arguments.pop("token"), sends=request.method in SEND)


def _by_login(room: Room, connection: Connection, request: Request, arguments: Arguments) -> Caller:
    return identify_by_login(room, connection, request, sends=request.method in SEND)


def _by_draft(room: Room, connection: Connection, request: Request, arguments: Arguments) -> Caller:
    token, form_id = arguments.pop("token"), arguments.pop("form_id")
    path = f"/v1/test/{quote(token, safe='!$')}/projects/1/forms/{quote(form_id, safe='')}/draft"
    return identify_by_draft(room, connection, token, form_id, path)


def _list_rules() -> Iterable[tuple[str, _Endpoint, tuple[str, ...]]]:
    for identify, list_at, files_at in (
        (_by_token, KEY, f"{KEY}/forms/<int:number>"),
        (_by_login, "", "/openrosa/forms/<int:number>"),
        (_by_draft, DRAFT, DRAFT),
    ):
        yield f"{list_at}/formList", _Endpoint(identify, downloads.form_list, "form_list"), READ
        yield f"{list_at}/submission", _Endpoint(identify, submission.submission, "submission"), SEND
        yield f"{files_at}/form.xml", _Endpoint(identify, downloads.form_xml, "form"), READ
        yield f"{files_at}/manifest", _Endpoint(identify, downloads.manifest, "manifest"), READ
        yield f"{files_at}/attachments/<segment:name>", _Endpoint(identify, downloads.attachment, "attachment"), READ
        integrity = _Endpoint(identify, downloads.integrity, "integrity")
        yield f"{files_at}/entities/<segment:name>/integrity", integrity, READ


class TabletDesk:
    """WSGI middleware that answers tablets' addresses and passes all others on."""

    def __init__(self, app: WSGIApp, room: Room) -> None:
        self.app = app
        self.room = room
        rules = [Rule(rule, endpoint=endpoint, methods=methods) for rule, endpoint, methods in _list_rules()]
        converters = {"segment": SegmentConverter}
        self.routes = Map(rules, converters=converters, strict_slashes=False, merge_slashes=False).bind("tablets")

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith(OURS_BELOW) or path in OURS:
            return self.answer(environ, start_response)
        return self.app(environ, start_response)

    def answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with Request(environ) as request:
            request.max_content_length = self.room.settings.max_body_mb * 1024 * 1024
            return self._dispatch(request)(environ, start_response)

    def _dispatch(self, request: Request) -> Response:
        caller: Caller | None = None
        try:
            endpoint, arguments = self.routes.match(request.path, request.method)
            with self.room.reader.connect() as connection:
                caller = endpoint.identify(self.room, connection, request, arguments)
            with ExitStack() as closing:
                visit = Visit(self.room, request, caller, closing)
                visit.note(endpoint.kind)
                return cast(Response, endpoint.view(visit, **arguments))
        except Exception as error:  # noqa: BLE001 (whatever happens, Collect gets an answer that it understands)
            return _answer_exception(error, caller)


def _answer_exception(error: Exception, caller: Caller | None) -> Response:
    """Every failure becomes an OpenRosa answer. Logs name the kind of fault, never what was sent."""
    refusal = translate_error(error)
    if refusal.status >= 500:
        log.error("%s: %s", refusal.status, render_fault(error) if refusal.status == 500 else type(error).__name__)
    return answer_error(refusal, caller.language if caller else "fr")


def _make_blueprint() -> Blueprint:
    """One for all applications: what is exempt from CSRF is kept for ever, and must hold none of them."""
    blueprint = Blueprint("openrosa", __name__)

    @permission(TABLET)
    def serve(**_arguments: Any) -> Any:
        return current_app.extensions["teral_tablet_desk"].answer

    for number, (rule, endpoint, methods) in enumerate(_list_rules()):
        name = f"{endpoint.view.__name__}_{number}"
        blueprint.add_url_rule(rule, name, serve, methods=methods, provide_automatic_options=False)
    return blueprint


blueprint = _make_blueprint()


def init_app(app: Flask) -> None:
    with app.app_context():
        room = Room(db.engine, app.extensions["teral_settings"], attachment_store())
    app.extensions["teral_openrosa"] = room
    desk = TabletDesk(app.wsgi_app, room)
    app.wsgi_app = desk  # type: ignore[method-assign]
    app.extensions["teral_tablet_desk"] = desk
    app.register_blueprint(blueprint)


def get_room(app: Flask) -> Room:
    return cast(Room, app.extensions["teral_openrosa"])
