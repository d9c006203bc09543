"""`teral jobs`: the job process, and all that is due at once."""

import logging

import click

from server.cli.context import print_json
from server.config import ConfigError


@click.group("jobs")
def jobs_group() -> None:
    """Judge what tablets sent, tidy up: the work beside the web server."""


@jobs_group.command("run")
def run_command() -> None:
    """Run every job in its time until stopped; several may run, one leads."""
    from server import create_app
    from server.config import Settings
    from server.scheduler import run_forever
    from server.serve import check_database, check_storage

    try:
        settings = Settings.from_environment()
        settings.check_secrets()
        check_storage(settings)
        app = create_app(settings)
        check_database(app, settings)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    run_forever(app)


@jobs_group.command("once")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def once_command(as_json: bool) -> None:
    """Do all that is due, then exit."""
    from server import create_app
    from server.config import Settings
    from server.jobs import run_once
    from server.serve import check_migrated

    try:
        app = create_app(Settings.from_environment())
        check_migrated(app)
        done = run_once(app)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        print_json(done)
        return
    for name, details in done.items():
        click.echo(f"{name}: " + (", ".join(f"{key} {value}" for key, value in details.items()) or "nothing to do"))
    if any("error" in details for details in done.values()):
        click.get_current_context().exit(1)
