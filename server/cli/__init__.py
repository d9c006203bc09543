"""The command `teral`: groups are one file each; this file only gathers them."""

import click

from server.cli.answers import answers_group
from server.cli.backup import backup_command, restore_command
from server.cli.config import config_command
from server.cli.database import database_group
from server.cli.devices import devices_group
from server.cli.entities import entities_group
from server.cli.files import files_group
from server.cli.forms import forms_group
from server.cli.jobs import jobs_group
from server.cli.link import link_group
from server.cli.peers import peers_group
from server.cli.people import people_group
from server.cli.registry import registry_group
from server.cli.relay import relay_group
from server.cli.revalidate import revalidate_command
from server.cli.run import run_command
from server.cli.serve import serve_command
from server.cli.setup import setup_command
from server.cli.sites import sites_group
from server.cli.status import status_command
from server.cli.submissions import submissions_group
from server.cli.tablets import tablets_command
from server.cli.users import users_group
from server.cli.validate import validate_command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Teral, an offline-first field data collection server."""


main.add_command(answers_group)
main.add_command(backup_command)
main.add_command(config_command)
main.add_command(database_group)
main.add_command(devices_group)
main.add_command(entities_group)
main.add_command(files_group)
main.add_command(forms_group)
main.add_command(jobs_group)
main.add_command(link_group)
main.add_command(peers_group)
main.add_command(people_group)
main.add_command(registry_group)
main.add_command(relay_group)
main.add_command(restore_command)
main.add_command(run_command)
main.add_command(serve_command)
main.add_command(setup_command)
main.add_command(sites_group)
main.add_command(status_command)
main.add_command(submissions_group)
main.add_command(tablets_command)
main.add_command(users_group)
main.add_command(revalidate_command)
main.add_command(validate_command)
