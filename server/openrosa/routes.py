"""The three ways in (a token in the address, user name and password, a draft's token) to the same few documents."""

import functools
from collections.abc import Callable
from urllib.parse import quote

from flask import Blueprint, Flask, Response, current_app, g, request
from sqlalchemy import Connection

from server.extensions import db
from server.openrosa import downloads, submission
from server.openrosa.answers import answer_error
from server.openrosa.callers import Caller, identify_by_draft, identify_by_login, identify_by_token
from server.openrosa.contacts import note_contact
from server.openrosa.errors import translate_error
from sync.devices import Contact

blueprint = Blueprint("openrosa", __name__)

Identify = Callable[..., Caller]
View = Callable[..., Response]

KEY = "/v1/key/<segment:token>/projects/1"
DRAFT = "/v1/test/<segment:token>/projects/1/forms/<segment:form_id>/draft"
READ = ("GET",)
SEND = ("HEAD", "POST")


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)


def _by_token(connection: Connection, arguments: dict[str, str], sends: bool) -> Caller:
    return identify_by_token(connection, arguments.pop("token"), sends=sends)


def _by_login(connection: Connection, arguments: dict[str, str], sends: bool) -> Caller:
    return identify_by_login(connection, request, sends=sends)


def _by_draft(connection: Connection, arguments: dict[str, str], sends: bool) -> Caller:
    token, form_id = arguments.pop("token"), arguments.pop("form_id")
    path = f"/v1/test/{quote(token, safe='!$')}/projects/1/forms/{quote(form_id, safe='')}/draft"
    return identify_by_draft(connection, token, form_id, path)


def _add(rule: str, identify: Identify, view: View, methods: tuple[str, ...], kind: str) -> None:
    """Add one address. The transaction of a request that only reads is the connection's own, and ends with it."""
    sends = methods == SEND

    def serve(**arguments: str) -> Response:
        with db.engine.connect() as connection:
            g.caller = caller = identify(connection, arguments, sends)
            _note(caller, kind)
            connection.rollback()
        return view(caller, **arguments)

    functools.update_wrapper(serve, view)
    serve.permission = "tablet"  # type: ignore[attr-defined]
    endpoint = f"{identify.__name__.removeprefix('_by_')}_{view.__name__}"
    blueprint.add_url_rule(rule, endpoint, serve, methods=methods, provide_automatic_options=False)


def _note(caller: Caller, kind: str) -> None:
    """Every request of a tablet is a sign of life: a silent tablet and a tablet without records differ."""
    if caller.holder is not None:
        collect_id, agent = request.args.get("deviceID"), request.user_agent.string
        note_contact(Contact(caller.holder.device_id, caller.now, kind, collect_id, agent or None))


for _identify, _list_at, _files_at in (
    (_by_token, KEY, f"{KEY}/forms/<int:number>"),
    (_by_login, "", "/openrosa/forms/<int:number>"),
    (_by_draft, DRAFT, DRAFT),
):
    _add(f"{_list_at}/formList", _identify, downloads.form_list, READ, "form_list")
    _add(f"{_list_at}/submission", _identify, submission.submission, SEND, "submission")
    _add(f"{_files_at}/form.xml", _identify, downloads.form_xml, READ, "form")
    _add(f"{_files_at}/manifest", _identify, downloads.manifest, READ, "manifest")
    _add(f"{_files_at}/attachments/<segment:name>", _identify, downloads.attachment, READ, "attachment")


@blueprint.errorhandler(Exception)
def _answer_exception(error: Exception) -> Response:
    """Every failure becomes an OpenRosa answer. Logs name the kind of fault, never what was sent."""
    refusal = translate_error(error)
    if refusal.status >= 500:
        current_app.logger.error(
            "openrosa %s: %s", refusal.status, type(error).__name__, exc_info=refusal.status == 500
        )
    caller = g.get("caller")
    return answer_error(refusal, caller.language if caller else "fr")
