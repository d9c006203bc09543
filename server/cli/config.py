"""`teral config`: every setting with its meaning; secrets are never shown."""

import click

from server.cli.context import print_json
from server.config import ConfigError, Settings, describe_settings


@click.command("config")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def config_command(as_json: bool) -> None:
    """Describe every TERAL_* setting and show the value in force."""
    try:
        values = Settings.from_environment().shown_values()
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    rows = [
        {"name": name, "value": values[name], "default": default, "help": text}
        for name, default, text in describe_settings()
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['name']}={row['value']}\n    {row['help']} Default: {row['default'] or '(empty)'}")
