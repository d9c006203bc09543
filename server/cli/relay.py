"""`teral relay`: enrol relays at the centre; on a relay, exchange with the centre over a link or a USB key."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from server.cli.context import command_line_language, print_json, with_app, word_refusal, writing
from server.config import ConfigError
from server.words import translator

if TYPE_CHECKING:
    from server.bundles import Carried
    from server.config import Settings
    from sync.models import Site

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON only.")


@click.group("relay")
def relay_group() -> None:
    """Servers at posts without a link, and the centre that they bring everything to."""


@relay_group.command("enrol")
@click.argument("code")
@click.option("--site", "sites", multiple=True, help="Site whose tablets talk to the relay; may be repeated.")
@_json
@with_app
def enrol_command(code: str, sites: tuple[str, ...], as_json: bool) -> None:
    """At the centre: make the server at the site CODE a relay, and print its settings, this once."""
    from server.accounts.relays import enrol
    from server.extensions import db
    from sync.db import begin_write
    from sync.relaying.lines import RelayRefused

    begin_write(db.session())
    site, behind = _get_site(code), [_get_site(one) for one in sites]
    try:
        access = enrol(db.session(), _settings(), site, behind, None, datetime.now(UTC))
    except RelayRefused as refused:
        raise click.ClickException(word_refusal(refused)) from refused
    print_json(access.variables) if as_json else click.echo(access.text)


@relay_group.command("sites")
@click.argument("code")
@click.argument("sites", nargs=-1)
@with_app
def sites_command(code: str, sites: tuple[str, ...]) -> None:
    """At the centre: let the tablets of exactly these SITES talk to the relay CODE."""
    from server.extensions import db
    from sync.db import begin_write
    from sync.models import Relay
    from sync.relaying.enrolment import place_sites

    begin_write(db.session())
    relay = db.session.get(Relay, _get_site(code).id)
    if relay is None:
        raise click.ClickException(f"{code} is no relay.")
    place_sites(db.session(), relay, [_get_site(one) for one in sites], datetime.now(UTC))


@relay_group.command("sync")
@_json
@with_app
def sync_command(as_json: bool) -> None:
    """On a relay: tell the centre all that it has not taken, and take its news, now."""
    from server.relay import forward, note_number, open_link
    from server.web.peer_words import PEER_LABELS

    try:
        note_number(_settings())
        done = forward(open_link(_settings()))
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    counts = ", ".join(f"{name} {value}" for name, value in done.items() if name != "problem")
    print_json(done) if as_json else click.echo(counts)
    if problem := done.get("problem"):
        said = translator(command_line_language())(PEER_LABELS["relay_problem"][problem])
        raise click.ClickException(said)


@relay_group.command("key")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--of", "code", help="At the centre: the relay whose PUBLIC key is given.")
@click.option("--public", help="That key.")
@with_app
def key_command(file: Path | None, code: str | None, public: str | None) -> None:
    """Make this server's key for bundles in FILE, or show the public one; at the centre also note a relay's."""
    from server.bundles import note_public_key, read_own_key
    from server.secret_files import write_private
    from sync.relaying.bundles import BundleRefused, make_key, public_key

    if file is not None and file.exists():
        raise click.ClickException(f"{file} is there already: a key is not replaced.")
    try:
        if code:
            note_public_key(_get_site(code).id, public or "")
            return
        if file is not None:
            with writing(file):
                write_private(file, make_key())
        click.echo(public_key(file.read_text() if file else read_own_key(_settings())))
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    except BundleRefused as refused:
        raise click.ClickException(word_refusal(refused)) from refused


@relay_group.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--to", "code", help="At the centre: the relay that the bundle is for.")
@_json
@with_app
def export_command(file: Path, code: str | None, as_json: bool) -> None:
    """Write a bundle for a USB key: all that the other side has not confirmed yet."""
    from server.bundles import export_down, export_up
    from server.relay import is_relay

    def export(settings: "Settings") -> "Carried":
        if is_relay(settings):
            return export_up(settings, file)
        if code is None:
            raise ConfigError("For which relay? Say it with --to CODE.")
        return export_down(settings, file, _get_site(code).id)

    with writing(file):
        _carry(export, as_json)


@relay_group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_json
@with_app
def import_command(file: Path, as_json: bool) -> None:
    """Take in a bundle. Importing it twice changes nothing.

    Of a bundle that is damaged nothing is taken in. `refused` counts the lines of one that is in order which could not
    be taken in here: they stop no other, get no receipt, and come again with the next bundle.
    """
    from server.bundles import import_bundle

    _carry(lambda settings: import_bundle(settings, file, datetime.now(UTC)), as_json)


def _carry(act: Callable[["Settings"], "Carried"], as_json: bool) -> None:
    from forms.errors import FormsError
    from server.relay import note_number

    try:
        note_number(_settings())
        carried = act(_settings())
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    except FormsError as refused:
        raise click.ClickException(word_refusal(refused)) from refused
    if as_json:
        print_json(asdict(carried))
        return
    counts = {name: count for name, count in asdict(carried).items() if name != "is_older"}
    click.echo(", ".join(f"{name}: {count}" for name, count in counts.items()))
    if carried.is_older:
        click.echo("This bundle is older than what was taken in before: what may have changed since was left out.")


@relay_group.command("status")
@_json
@with_app
def status_command(as_json: bool) -> None:
    """On a relay: how it stands with its centre. At the centre: what is known of each relay, and since when."""
    told = _describe_upstream() or {"relays": _describe_relays()}
    if as_json:
        print_json(told)
        return
    for one in told.get("relays", [told]):
        click.echo("  ".join(f"{name}: {'-' if value is None else value}" for name, value in one.items()))


def _describe_upstream() -> dict[str, Any] | None:
    from server.extensions import db
    from server.relay import read_upstream

    upstream = read_upstream(db.session())
    return _moments(asdict(upstream)) if upstream else None


def _describe_relays() -> list[dict[str, Any]]:
    from server.extensions import db
    from sync.relaying.overview import list_relays

    return [
        _moments(
            {
                "relay": one.site.code,
                "number": one.number,
                "sites": [site.code for site in one.sites],
                "devices": len(one.device_ids),
                "waiting": one.waiting,
                "told_of": one.told_of,
                "unerased": one.unerased.count if one.unerased else 0,
                "unerased_since": one.unerased.since if one.unerased else None,
                "oldest_at": one.oldest_at,
                "told_at": one.told_at,
                "heard_at": one.heard_at,
            }
        )
        for one in list_relays(db.session(), None)
    ]


def _moments(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in told.items()}


def _get_site(code: str) -> "Site":
    from server.extensions import db
    from sync.sites import find_site

    site = find_site(db.session(), code)
    if site is None:
        raise click.ClickException(f"There is no site {code}.")
    return site


def _settings() -> "Settings":
    from server.relay import current_settings

    return current_settings()
