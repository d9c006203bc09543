"""The first page: how far every tablet, site and record has come. It refreshes itself every ten seconds."""

from datetime import UTC, datetime, timedelta

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from server.accounts.permissions import permission
from server.accounts.relays import find_shut_out
from server.accounts.sessions import current_viewer
from server.extensions import db
from server.relay import read_upstream
from server.web.headcounts import find_lookers
from sync.link_inquiries import list_open_inquiries
from sync.peers import list_states
from sync.policy import may
from sync.settings import get_setting
from sync.status import read_status

blueprint = Blueprint("status", __name__)


@blueprint.get("/")
@permission("status.read")
def home() -> ResponseReturnValue:
    now = datetime.now(UTC)
    silent = now - timedelta(hours=get_setting(db.session(), "silent_after_hours"))
    status = read_status(db.session(), current_viewer(), now)
    peers = list_states(db.session()) if may(current_viewer(), "peers.read") else []
    return render_template(
        "status.html", status=status, silent=silent, notice=get_setting(db.session(), "notice"),
        devices={one.id: one for one in status.devices}, peer_states=peers, upstream=read_upstream(db.session()),
        relay_of={device_id: one for one in status.relays for device_id in one.device_ids}, **find_lookers(),
        relays_out=find_shut_out(db.session()), inquiries=list_open_inquiries(db.session(), current_viewer()),
    )  # fmt: skip
