"""Who calls: a tablet by the token in its address, by Digest or Basic, or somebody who tests a draft."""

import base64
import binascii
import logging
from datetime import datetime

from cryptography.exceptions import InvalidTag
from sqlalchemy import Connection, select
from werkzeug import Request

from server.accounts.credentials import (
    Holder,
    find_credential_by_token,
    find_credential_by_username,
    is_password_of,
    read_ha1,
)
from server.accounts.digest import challenge, check_answer, parse_answer
from server.accounts.secrets import is_token
from server.openrosa.errors import BAD_TOKEN, LOGIN, NOT_FOUND, SENDING_ONLY, UNKNOWN_TOKEN, OpenRosaError
from server.openrosa.room import Caller, Room
from sync.models import Catalogue
from sync.parts import fit

log = logging.getLogger("teral.openrosa")


def identify_by_token(room: Room, connection: Connection, token: str, *, sends: bool) -> Caller:
    """401 for what cannot be a token; 403 for one that nobody holds, since 401 makes Collect ask for a password."""
    if not is_token(token):
        raise OpenRosaError(401, BAD_TOKEN)
    now = room.clock()
    holder = find_credential_by_token(connection, token, now, room.settings.token_grace_days)
    return _admit(room, holder, f"/v1/key/{token}/projects/1", now, sends=sends)


def identify_by_login(room: Room, connection: Connection, request: Request, *, sends: bool) -> Caller:
    """Digest or Basic, for tablets only: no web user has a password that could be checked so cheaply."""
    now = room.clock()
    header = request.headers.get("Authorization", "")
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "basic":
        holder = _check_basic(room, connection, rest, now)
    elif scheme.lower() == "digest":
        holder = _check_digest(room, connection, request, rest, now)
    else:
        holder = None
    if holder is None:
        raise _ask_for_login(room, request)
    return _admit(room, holder, "/openrosa", now, sends=sends)


def identify_by_draft(room: Room, connection: Connection, token: str, form_id: str, path: str) -> Caller:
    """Whoever holds a draft's token may fetch the draft and send test records, which stay apart."""
    generation = connection.execute(select(Catalogue.generation).limit(1)).scalar() or 0
    catalogue = room.catalogues.get(generation)
    draft = catalogue.by_draft_token.get(token)
    if draft is None or draft.form_id != form_id:
        raise OpenRosaError(404, NOT_FOUND)
    return Caller(None, draft, catalogue, path, room.clock())


def _admit(room: Room, holder: Holder | None, path: str, now: datetime, *, sends: bool) -> Caller:
    if holder is None or holder.right == "none":
        raise OpenRosaError(403, UNKNOWN_TOKEN)
    if holder.right == "send" and not sends:
        raise OpenRosaError(403, SENDING_ONLY)
    return Caller(holder, None, room.catalogues.get(holder.generation), path, now)


def _check_basic(room: Room, connection: Connection, encoded: str, now: datetime) -> Holder | None:
    try:
        username, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    holder = _find(room, connection, username, now)
    return holder if holder is not None and is_password_of(holder, password) else None


def _check_digest(room: Room, connection: Connection, request: Request, fields: str, now: datetime) -> Holder | None:
    answer = parse_answer(fields)
    holder = _find(room, connection, answer.username, now) if answer else None
    if answer is None or holder is None:
        return None
    secret_key = room.settings.secret_key
    try:
        stored = read_ha1(holder, secret_key)
    except InvalidTag:
        log.error("a tablet's password cannot be opened: TERAL_SECRET_KEY is not the one it was made with")
        return None
    verdict = check_answer(answer, stored, request.method, request.environ.get("RAW_URI", ""), secret_key)
    if verdict == "stale":
        raise _ask_for_login(room, request, stale=True)
    return holder if verdict == "right" else None


def _find(room: Room, connection: Connection, username: str, now: datetime) -> Holder | None:
    return find_credential_by_username(connection, fit(username), now, room.settings.token_grace_days)


def _ask_for_login(room: Room, request: Request, *, stale: bool = False) -> OpenRosaError:
    """Digest always; Basic only over TLS, where Collect answers it and nobody reads along."""
    challenges = [challenge(room.settings.secret_key, stale=stale)]
    if request.is_secure:
        challenges.append('Basic realm="teral", charset="UTF-8"')
    return OpenRosaError(401, LOGIN, [("WWW-Authenticate", one) for one in challenges])
