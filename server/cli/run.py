"""`teral run`: everything on one machine with invented data, for looking at, developing and demonstrating.

Two children do the work, the same commands as in production; this process prepares, watches and stops them.
"""

import contextlib
import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click
import urllib3

from server.config import ConfigError, Settings
from server.reach import is_out_of_reach

if TYPE_CHECKING:
    from server.tablets.tablet import Tablet

_START_SECONDS = 40
_STOP_SECONDS = 20
_CHILDREN = {"web": ("serve",), "jobs": ("jobs", "run")}


@click.command("run")
@click.option("--records", default=6, show_default=True, help="Invented records per tablet and day on the first run.")
def run_command(records: int) -> None:
    """Set up with demo data, start the web server and the job process, and print how to get in."""
    from server.cli.setup import set_up
    from server.secret_files import make_secret_key

    try:
        settings = make_secret_key(_reachable(Settings.from_environment()))
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    demo = set_up(settings, demo=True)
    _end_at_signals()
    with _children(settings) as children:
        _wait_until_healthy(settings, children)
        _print_welcome(settings, demo)
        _send_first_week(settings, demo, records)
        _watch(children)


def _reachable(settings: Settings) -> Settings:
    """With 0.0.0.0 and no public address, the one that other machines on the network see."""
    if settings.public_url or settings.host != "0.0.0.0":  # noqa: S104
        return settings
    return replace(settings, public_url=f"http://{_network_address()}:{settings.port}")


def _network_address() -> str:
    """The address of the interface that leads out; connecting a UDP socket sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])
    return "127.0.0.1"


@contextlib.contextmanager
def _children(settings: Settings) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Start both; whatever ends us ends them."""
    # A line for each request would carry the logins off the screen.
    quiet = settings if "TERAL_LOG_LEVEL" in os.environ else replace(settings, log_level="WARNING")
    environment = replace(quiet, demo=1).to_environment()
    command = [sys.executable, "-m", "server.cli"]
    running = {}
    try:
        for name, arguments in _CHILDREN.items():
            # In a session of their own, Ctrl-C reaches them through us alone, and they finish what they do.
            running[name] = subprocess.Popen(  # noqa: S603
                [*command, *arguments], env=environment, start_new_session=True
            )
        yield running
    except SystemExit:
        click.echo("\nTeral stops.")
    finally:
        _stop(running)


def _stop(children: dict[str, subprocess.Popen[bytes]]) -> None:
    for child in children.values():
        if child.poll() is None:
            child.terminate()
    for child in children.values():
        try:
            child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _end_at_signals() -> None:
    """Both signals end everything in order; a shell's background job would otherwise ignore the first."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)


def _end(_signal: int, _frame: FrameType | None) -> None:
    # Whoever presses twice must not leave a child behind: once is enough.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    # No KeyboardInterrupt: one that comes up inside of exec(), as when a dataclass is imported, makes `python -m` end
    # as if killed by the signal, although it was caught (CPython's unhandled_keyboard_interrupt).
    raise SystemExit(0)


def _wait_until_healthy(settings: Settings, children: dict[str, subprocess.Popen[bytes]]) -> None:
    url = f"http://{_local_host(settings)}:{settings.port}/healthz"
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        _raise_if_dead(children)
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            if urllib3.request("GET", url, retries=False, timeout=2).status == 200:
                return
        time.sleep(0.1)
    raise click.ClickException(f"The web server did not answer at {url} within {_START_SECONDS} seconds.")


def _local_host(settings: Settings) -> str:
    return "127.0.0.1" if settings.host == "0.0.0.0" else settings.host  # noqa: S104


def _raise_if_dead(children: dict[str, subprocess.Popen[bytes]]) -> None:
    for name, child in children.items():
        if child.poll() is not None:
            raise click.ClickException(f"The {name} process ended by itself (code {child.returncode}); Teral stops.")


def _watch(children: dict[str, subprocess.Popen[bytes]]) -> None:
    while True:
        _raise_if_dead(children)
        time.sleep(0.5)


def _print_welcome(settings: Settings, demo: dict[str, Any]) -> None:
    tablet = demo["tablets"][0]
    click.echo(f"\nTeral is ready: {settings.base_url}\n\nLogins (invented people, also in {_demo_file(settings)}):")
    for user in demo["users"]:
        click.echo(f"  {user['role']:20} {user['email']:42} {user['password']}")
    click.echo(f"\nTablet {tablet['device']}: in ODK Collect choose “Configure with QR code”.\n{_draw_qr(tablet)}")
    click.echo(f"The QR holds {settings.base_url}")
    if is_out_of_reach(settings):
        click.echo(
            "No tablet can reach that address: start with TERAL_HOST=0.0.0.0 (and TERAL_PUBLIC_URL for another name).",
            err=True,
        )


def _demo_file(settings: Settings) -> Path:
    return settings.data_path / "demo.json"


def _draw_qr(tablet: dict[str, Any]) -> str:
    import segno

    from server.accounts.collect_settings import pack_settings

    target = io.StringIO()
    segno.make(pack_settings(tablet["settings"]), error="l", micro=False).terminal(target, compact=True)
    return target.getvalue()


def _send_first_week(settings: Settings, demo: dict[str, Any], records: int) -> None:
    """A page without records shows nothing: on the first run some tablets come back from a week in the field."""
    from server.tablets.fleet import Plan, make_fleet, run_fleet

    mark = settings.data_path / "demo.sent"
    if mark.exists() or not records:
        return
    local = f"http://{_local_host(settings)}:{settings.port}"
    tablets = [{**one, "server_url": one["server_url"].replace(settings.base_url, local)} for one in demo["tablets"]]
    click.echo("\nSome tablets come back from a week in the field …")
    plan = Plan(
        until=datetime.now(UTC), days=7, records=records, lost_answers=0.03, duplicates=0.02, edits=0.03,
        told=frozenset({"f03_evenement"}),
    )  # fmt: skip
    fleet = make_fleet(tablets, plan)
    summary = run_fleet(fleet, plan)
    _play_scene(settings, {one.officer.username: one for one in fleet})
    mark.write_text("The invented week was sent; without this file it is sent again.\n")
    click.echo(f"{summary['sent']} records from {summary['tablets']} tablets. Ctrl-C stops Teral.")


def _play_scene(settings: Settings, fleet: dict[str, "Tablet"]) -> None:
    """Without it the demonstration had no head-count that does not close, no conflict, nothing on hold or deleted."""
    from server.tablets.scene import play_landing, play_scene

    named = (fleet["FLEUVE-01"], fleet["CADKR-01"], fleet["CADKR-02"])
    play_landing(*named[:2], datetime.now(UTC), lambda: time.sleep(0.5))
    mistake = play_scene(*named, datetime.now(UTC), lambda: time.sleep(0.5))
    if mistake is not None:
        _delete_stay(settings, mistake)


def _delete_stay(settings: Settings, uuid: str) -> None:
    from server import create_app
    from server.extensions import db
    from sync.db import begin_write
    from sync.entity_acts import delete_entity

    with create_app(settings).app_context():
        begin_write(db.session())
        delete_entity(db.session(), "dossiers", uuid, None, datetime.now(UTC))
        db.session.commit()
        db.session.remove()
        db.engine.dispose()
