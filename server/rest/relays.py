"""What relays say beyond Central's `/v1`: one exchange of lines, and files piece by piece (sync/relaying/)."""

import re
from datetime import UTC, datetime
from typing import Any

from flask import abort, request
from marshmallow import fields

from server.accounts.permissions import permission
from server.accounts.sessions import current_viewer
from server.extensions import attachment_store, db
from server.rest.problems import Problem
from server.rest.queries import Count
from server.rest.shapes import Shape
from server.rest.speech import answers, asks, blueprint, reads, takes
from sync.models import Relay
from sync.relaying.belonging import find_relay
from sync.relaying.exchange import answer_relay
from sync.relaying.lines import RelayRefused, parse_lines, write_line
from sync.relaying.pieces import PIECE, add_piece

_SHA256 = re.compile(r"[0-9a-f]{64}")


class Lines(Shape):
    """Lines as text, each a JSON object: their hashes are those of these very bytes."""

    lines = fields.List(fields.String(), required=True)


class ExchangeAnswer(Lines):
    """Receipts and news; which records the centre lacks, and how many bytes it has of each file that it awaits."""

    records = fields.List(fields.String())
    files = fields.Dict(keys=fields.String(), values=fields.Integer())


class Held(Shape):
    held = fields.Integer()


class PieceQuery(Shape):
    start = Count("How many bytes of the file are before this piece.", required=True)
    size = Count("How many bytes the whole file has.", required=True)


@blueprint.post("/projects/1/relay")
@permission("relays.exchange")
@answers(ExchangeAnswer)
@takes(Lines)
def exchange(body: dict[str, Any]) -> Any:
    answer = answer_relay(db.session(), get_relay(), parse_lines(body["lines"]), datetime.now(UTC))
    return {"lines": [write_line(one) for one in answer.lines], "records": answer.records, "files": answer.files}


@blueprint.post("/projects/1/relay/files/<segment:sha256>")
@permission("relays.exchange")
@answers(Held)
@reads("application/octet-stream")
@asks(PieceQuery)
def send_piece(sha256: str, asked: dict[str, Any]) -> Any:
    get_relay()
    named = _SHA256.fullmatch(sha256) or abort(404)
    content = request.get_data()
    # A body need not say how long it is.
    if len(content) > PIECE:
        raise Problem(400.36)
    start, size, now = asked["start"], asked["size"], datetime.now(UTC)
    held = add_piece(db.session(), attachment_store(), named.group(), start, content, size, now)
    return {"held": held}


def get_relay() -> Relay:
    """The relay whose account calls."""
    relay = find_relay(db.session(), current_viewer().actor_id)
    if relay is None:
        raise RelayRefused("relay_unknown")
    return relay
