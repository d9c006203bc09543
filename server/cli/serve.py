"""`teral serve`: the web server in production."""

import click

from server.config import ConfigError


@click.command("serve")
def serve_command() -> None:
    """Serve tablets and browsers; refuses weak secrets and demo databases."""
    from server.config import Settings
    from server.serve import serve

    try:
        serve(Settings.from_environment())
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
