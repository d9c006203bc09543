"""Other servers with which this one exchanges: list, one with its runs, added, tested, looked ahead, paused, resent.

What needs the line to the peer is in server/peers.py, which brings pyodk along and is loaded when it is asked for.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import select

from forms.errors import FormsError
from server.accounts.permissions import permission, reads_first
from server.accounts.sessions import current_viewer
from server.extensions import db
from server.web.labels import label
from sync.models import DIRECTIONS, Peer, Site
from sync.peers import (
    PeerDetails,
    add_peer,
    change_peer,
    list_runs,
    list_states,
    pause_peer,
    read_since,
    resend_from,
    resume_peer,
)

blueprint = Blueprint("peers", __name__, url_prefix="/peers")

_DETAILS = ("address", "project", "direction", "credentials", "pulls", "publishes", "lists", "site")
_RUNS_SHOWN = 50


@blueprint.get("/")
@permission("peers.read")
def list_page() -> ResponseReturnValue:
    return render_template("peers/list.html", states=list_states(db.session()))


@blueprint.get("/new")
@permission("peers.manage")
def new() -> ResponseReturnValue:
    return _render_form(None, {"project": "1", "direction": "pull"})


@blueprint.post("/new")
@permission("peers.manage")
def add() -> ResponseReturnValue:
    name = request.form.get("name", "").strip()
    try:
        add_peer(db.session(), name, _asked(), current_viewer().actor_id, datetime.now(UTC))
    except FormsError as refused:
        db.session.rollback()
        return _render_form(None, request.form.to_dict(), refused)
    flash(gettext("The server is added, and paused. Test it, look at what would move, then resume."))
    return redirect(url_for("peers.page", peer_name=name))


@blueprint.get("/<peer_name>")
@permission("peers.read")
def page(peer_name: str) -> ResponseReturnValue:
    return _render(_get_peer(peer_name))


@blueprint.get("/<peer_name>/edit")
@permission("peers.manage")
def edit(peer_name: str) -> ResponseReturnValue:
    peer = _get_peer(peer_name)
    names = {one: "\n".join(getattr(peer, one)) for one in ("pulls", "publishes", "lists")}
    plain = {one: getattr(peer, one) for one in ("address", "direction", "credentials")}
    return _render_form(peer, names | plain | {"project": peer.project_id, "site": peer.site.code if peer.site else ""})


@blueprint.post("/<peer_name>/edit")
@permission("peers.manage")
def change(peer_name: str) -> ResponseReturnValue:
    peer = _get_peer(peer_name)
    try:
        change_peer(db.session(), peer, _asked(), current_viewer().actor_id, datetime.now(UTC))
    except FormsError as refused:
        db.session.rollback()
        return _render_form(peer, request.form.to_dict(), refused)
    flash(gettext("The server is changed."))
    return redirect(url_for("peers.page", peer_name=peer_name))


@blueprint.post("/<peer_name>/test")
@permission("peers.manage")
@reads_first
def test(peer_name: str) -> ResponseReturnValue:
    from server.peers import try_peer

    return _ask(peer_name, lambda peer: {"found": try_peer(peer)})


@blueprint.post("/<peer_name>/plan")
@permission("peers.manage")
@reads_first
def plan(peer_name: str) -> ResponseReturnValue:
    from server.peers import plan_exchange

    return _ask(peer_name, lambda peer: {"planned": plan_exchange(peer)})


@blueprint.post("/<peer_name>/pause")
@permission("peers.manage")
def pause(peer_name: str) -> ResponseReturnValue:
    pause_peer(db.session(), _get_peer(peer_name), current_viewer().actor_id, datetime.now(UTC))
    flash(gettext("Nothing moves any more until somebody resumes."))
    return redirect(url_for("peers.page", peer_name=peer_name))


@blueprint.post("/<peer_name>/resume")
@permission("peers.manage")
def resume(peer_name: str) -> ResponseReturnValue:
    resume_peer(db.session(), _get_peer(peer_name), current_viewer().actor_id, datetime.now(UTC))
    flash(gettext("Things move again with the next exchange."))
    return redirect(url_for("peers.page", peer_name=peer_name))


@blueprint.post("/<peer_name>/resend")
@permission("peers.manage")
def resend(peer_name: str) -> ResponseReturnValue:
    peer = _get_peer(peer_name)
    try:
        since = read_since(request.form.get("since", ""))
        resend_from(db.session(), peer, since, current_viewer().actor_id, datetime.now(UTC))
    except FormsError as refused:
        return _render(peer, problem=refused.word(gettext)), 422
    flash(gettext("What changed since that day is read and told once more. What is here already counts once."))
    return redirect(url_for("peers.page", peer_name=peer_name))


def _get_peer(name: str) -> Peer:
    return db.session.scalar(select(Peer).where(Peer.name == name)) or abort(404)


def _asked() -> PeerDetails:
    return PeerDetails(**{name: request.form.get(name, "") for name in _DETAILS})


def _ask(peer_name: str, ask: Callable[[Peer], dict[str, Any]]) -> ResponseReturnValue:
    """Ask the peer something and show the answer; nothing of ours is locked meanwhile."""
    peer = _get_peer(peer_name)
    db.session.expunge(peer)
    db.session.rollback()
    try:
        answer = ask(peer)
    except FormsError as refused:
        answer = {"problem": refused.word(gettext)}
    return _render(_get_peer(peer_name), **answer)


def _render(peer: Peer, **answer: Any) -> str:
    runs = list_runs(db.session(), peer, _RUNS_SHOWN)
    return render_template("peers/page.html", peer=peer, runs=runs, **answer)


def _render_form(peer: Peer | None, asked: dict[str, Any], refused: FormsError | None = None) -> ResponseReturnValue:
    sites = db.session.scalars(select(Site).where(Site.closed_at.is_(None)).order_by(Site.name)).all()
    problem = refused.word(gettext) if refused else None
    page = render_template(
        "peers/edit.html", peer=peer, asked=asked, problem=problem,
        directions_worded=[(one, label(one, "direction_of_peer")) for one in DIRECTIONS],
        sites_worded=[("", "–"), *((one.code, one.name) for one in sites)],
    )  # fmt: skip
    return page, 422 if refused else 200
