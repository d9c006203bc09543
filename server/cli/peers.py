"""`teral peers`: other servers with which this one exchanges records, forms and lists; the same as the page."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

from forms.errors import FormsError
from server.cli.context import command_line_language, print_json, with_app, word_refusal
from server.words import translator
from sync.models import DIRECTIONS, Peer, PeerRun
from sync.peers import (
    PeerDetails,
    PeerRefused,
    add_peer,
    change_peer,
    find_last_runs,
    get_peer,
    list_peers,
    list_runs,
    pause_peer,
    read_since,
    resend_from,
    resume_peer,
)

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group("peers")
def peers_group() -> None:
    """Other servers that speak ODK Central's API: what is read there, and what they are told."""


def _details(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what a peer is."""
    for option in (
        click.option("--project", default="1", show_default=True, help="Number of the project there."),
        click.option("--direction", type=click.Choice(DIRECTIONS), default="pull", show_default=True),
        click.option("--credentials", default="", help="Name of the account; the peer's by default."),
        click.option("--pulls", default="", help="Only these forms are read, with commas; all by default."),
        click.option("--publishes", default="", help="These of our forms are published there, with commas."),
        click.option("--lists", default="", help="These of our entity lists are kept equal there, with commas."),
        click.option("--site", default="", help="Code of the site at which its records count as received."),
    ):
        command = option(command)
    return command


@peers_group.command("add")
@click.argument("name")
@click.argument("address")
@_details
@_AS_JSON
@with_app
def add_command(name: str, address: str, as_json: bool, **details: str) -> None:
    """Add a peer, paused: test it, look at what would move, then resume it."""
    peer = _write(lambda session, now: add_peer(session, name, PeerDetails(address, **details), None, now))
    _tell(peer, as_json)


@peers_group.command("change")
@click.argument("name")
@click.argument("address")
@_details
@_AS_JSON
@with_app
def change_command(name: str, address: str, as_json: bool, **details: str) -> None:
    """Say anew what a peer is; another project is read from its beginning."""

    def change(session: Any, now: datetime) -> Peer:
        peer = get_peer(session, name)
        change_peer(session, peer, PeerDetails(address, **details), None, now)
        return peer

    _tell(_write(change), as_json)


@peers_group.command("list")
@_AS_JSON
@with_app
def list_command(as_json: bool) -> None:
    """List the peers with how the last exchange went."""
    from server.extensions import db

    peers = list_peers(db.session())
    runs = find_last_runs(db.session(), peers)
    rows = [_describe(one) | {"last": _describe_run(runs[one.id]) if one.id in runs else None} for one in peers]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        last = row["last"]["outcome"] if row["last"] else "-"
        click.echo(f"{row['name']:16} {row['direction']:5} {'paused' if row['paused'] else last:8} {row['address']}")


@peers_group.command("runs")
@click.argument("name")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True)
@_AS_JSON
@with_app
def runs_command(name: str, limit: int, as_json: bool) -> None:
    """List the last exchanges with a peer: what moved, and what went wrong."""
    from server.extensions import db

    runs = [_describe_run(one) for one in _told(lambda: list_runs(db.session(), get_peer(db.session(), name), limit))]
    if as_json:
        print_json(runs)
        return
    for one in runs:
        click.echo("\t".join([one["started_at"], one["outcome"], str(one["counts"]), *one["problems"][:1]]))


@peers_group.command("test")
@click.argument("name")
@_AS_JSON
@with_app
def test_command(name: str, as_json: bool) -> None:
    """Reach a peer's project with the account that it names."""
    from server.peers import try_peer

    found = _told(lambda: try_peer(_load(name)))
    told = {"project": found.name, "forms": found.forms}
    print_json(told) if as_json else click.echo(f"{found.name}: {found.forms} forms")


@peers_group.command("plan")
@click.argument("name")
@_AS_JSON
@with_app
def plan_command(name: str, as_json: bool) -> None:
    """Say what an exchange would move now, and move nothing."""
    from server.peers import plan_exchange
    from sync.peer_pace import Patience

    outcome = _told(lambda: plan_exchange(_load(name), Patience()))
    _echo(outcome.word, dict(outcome.counts), outcome.problems, as_json)


@peers_group.command("run")
@click.argument("name")
@_AS_JSON
@with_app
def run_command(name: str, as_json: bool) -> None:
    """Exchange with a peer now, without waiting for its time."""
    from server.peers import run_exchange

    peer = _told(lambda: _load(name))
    run = run_exchange(peer)
    if run is None:
        raise click.ClickException(word_refusal(PeerRefused("peer_working", name=name)))
    _echo(run.outcome, run.counts, run.problems, as_json)


def _state_command(name: str, act: Callable[..., None], told: str) -> click.Command:
    """Pausing and resuming differ in their verb only."""

    @with_app
    def run(name: str) -> None:
        _write(lambda session, now: act(session, get_peer(session, name), None, now))

    return click.Command(name, callback=run, params=[click.Argument(["name"])], help=told)


peers_group.add_command(_state_command("pause", pause_peer, "Let nothing move until the peer is resumed."))
peers_group.add_command(_state_command("resume", resume_peer, "Let things move again, from where they stopped."))


@peers_group.command("resend")
@click.argument("name")
@click.option("--since", required=True, help="A date such as 2026-11-20.")
@_AS_JSON
@with_app
def resend_command(name: str, since: str, as_json: bool) -> None:
    """Read once more what changed there since a date, and tell once more what was found."""

    def resend(session: Any, now: datetime) -> int:
        return resend_from(session, get_peer(session, name), read_since(since), None, now)

    number = _write(resend)
    print_json({"records": number}) if as_json else click.echo(f"records: {number}")


def _write(work: Callable[[Any, datetime], Any]) -> Any:
    from server.extensions import db
    from sync.db import begin_write

    begin_write(db.session())
    return _told(lambda: work(db.session(), datetime.now(UTC)))


def _told(work: Callable[[], Any]) -> Any:
    """What the work returns; a refusal is told in the language of the command line."""
    try:
        return work()
    except FormsError as refused:
        raise click.ClickException(word_refusal(refused)) from None


def _load(name: str) -> Peer:
    """The peer as an exchange wants it: whole, and without the session."""
    from server.extensions import db

    peer = get_peer(db.session(), name)
    db.session.expunge(peer)
    db.session.rollback()
    return peer


def _tell(peer: Peer, as_json: bool) -> None:
    print_json(_describe(peer)) if as_json else click.echo(f"{peer.name} {peer.address}")


def _echo(outcome: str, counts: dict[str, int], problems: list[dict[str, Any]], as_json: bool) -> None:
    worded = [_word(one) for one in problems]
    if as_json:
        print_json({"outcome": outcome, "counts": counts, "problems": worded})
    else:
        click.echo(", ".join([outcome, *(f"{kind} {number}" for kind, number in counts.items())]))
        for one in worded:
            click.echo(one, err=True)
    if outcome == "failed":
        click.get_current_context().exit(1)


def _word(problem: dict[str, Any]) -> str:
    said = translator(command_line_language())(problem["message"]) % problem["params"]
    return f"{problem['what']}: {said}" if problem["what"] else said


def _describe(peer: Peer) -> dict[str, Any]:
    names = ("name", "address", "direction", "credentials", "pulls", "publishes", "lists")
    told = {name: getattr(peer, name) for name in names}
    return told | {
        "project": peer.project_id,
        "site": peer.site.code if peer.site else None,
        "paused": peer.paused_at is not None,
    }


def _describe_run(run: PeerRun) -> dict[str, Any]:
    return {
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat(),
        "outcome": run.outcome,
        "counts": run.counts,
        "problems": [_word(one) for one in run.problems],
    }
