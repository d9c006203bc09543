"""`teral answers`: the flat answers that lists and exports read, made again from the records."""

import click

from server.cli.context import with_app
from server.extensions import db
from sync.answers import rebuild_answers
from sync.db import begin_write


@click.group("answers")
def answers_group() -> None:
    """The answers kept flat for lists and exports."""


@answers_group.command("rebuild")
@click.option("--missing", is_flag=True, help="Only of records of which something is not kept yet.")
@with_app
def rebuild_command(missing: bool) -> None:
    """Write down anew what every record says; safe to repeat and to interrupt."""
    last: int | None = 0
    while last is not None:
        session = db.session()
        begin_write(session)
        last = rebuild_answers(session, last, missing_only=missing)
        session.commit()
        db.session.remove()
    click.echo("The answers are written down.")
