"""`teral setup`: make a data folder ready, from nothing or from an older version; safe to repeat."""

from datetime import UTC, datetime
from typing import Any

import click

from server.cli.context import print_json
from server.config import ConfigError, Settings


@click.command("setup")
@click.option("--demo", is_flag=True, help="Add invented sites, users and tablets.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON only.")
def setup_command(demo: bool, as_json: bool) -> None:
    """Migrate the database, publish the shipped forms, generate what secrets are missing."""
    result = set_up(Settings.from_environment(), demo=demo)
    if as_json:
        print_json(result)
        return
    for name in result["published"]:
        click.echo(f"published: {name}")
    if result["secret_key_file"]:
        click.echo(f"The secret key lies in {result['secret_key_file']}; `teral serve` wants it in TERAL_SECRET_KEY.")
    if demo:
        click.echo("\n".join(f"{one['role']:20} {one['email']:42} {one['password']}" for one in result["users"]))
    click.echo("Teral is set up.")


def set_up(settings: Settings, *, demo: bool) -> dict[str, Any]:
    """Do what `teral setup` promises and tell what was done; with demo data, their secrets too."""
    from forms.errors import FormsError
    from server.secret_files import make_secret_key

    # Records and secrets lie there: nobody else on the machine may look in.
    settings.data_path.mkdir(parents=True, exist_ok=True, mode=0o700)
    complete = make_secret_key(settings)
    try:
        complete.check_secrets()
        published, secrets = _fill_database(complete, demo=demo)
    except (ConfigError, FormsError) as refused:
        raise click.ClickException(str(refused)) from refused
    made = "" if settings.secret_key else str(settings.data_path / "secrets" / "secret_key")
    return {"published": published, "secret_key_file": made, **secrets}


def _fill_database(settings: Settings, *, demo: bool) -> tuple[list[str], dict[str, Any]]:
    from server import create_app
    from server.database import migrate
    from server.demo import add_demo
    from server.extensions import attachment_store, db
    from server.secret_files import read_demo, write_demo
    from server.shipped_forms import publish_library
    from sync.catalogue import lock_catalogue
    from sync.db import begin_write

    now = datetime.now(UTC)
    with create_app(settings).app_context():
        migrate(db.engine)
        session = db.session()
        begin_write(session)
        lock_catalogue(session)
        published = publish_library(session, attachment_store(), now)
        secrets = add_demo(session, settings, read_demo(settings), now) if demo else {}
        if demo:
            # Before the commit: a secret that the database knows and the file does not would be lost.
            write_demo(settings, secrets)
        session.commit()
        db.session.remove()
        db.engine.dispose()
    return published, secrets
