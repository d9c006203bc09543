"""`teral files`: what is on the disk and named by nobody, and that it goes."""

from dataclasses import asdict
from datetime import UTC, datetime

import click

from server.cli.context import print_json, with_app


@click.group("files")
def files_group() -> None:
    """The files of records and forms."""


@files_group.command("tidy")
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@click.option("--at-once", is_flag=True, help="Remove also what nobody ever named, without waiting for thirty days.")
@click.option("--claim", is_flag=True, help="Say that no other server keeps its files in this store.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_app
def tidy_command(dry_run: bool, at_once: bool, claim: bool, as_json: bool) -> None:
    """Look through all files, and remove from the disk what no record and no form names, as the job process does.

    The files of a record go when it is erased, if no other record has the same. A file that was sent within the last
    day stays for that day: a tablet may be about to send what names it. Backups that were made before hold it still.
    """
    from server.file_removal import count_noted_files, find_unneeded, list_due_files, note_unneeded, remove_files
    from server.own_store import claim_store
    from sync.freed_files import EVER

    now = datetime.now(UTC)
    if claim:
        claim_store(now)
    due_by = EVER if at_once else now
    if dry_run:
        found = sum(len(names) for names, due_at in find_unneeded(now) if due_at <= due_by)
        _say({"due": found + len(list_due_files(due_by))}, as_json)
        return
    note_unneeded(now)
    done = remove_files(now, due_by)
    _say(asdict(done) | {"later": count_noted_files() - done.waiting - done.failed}, as_json)
    if done.failed:
        raise click.ClickException("The disk does not let go of some files; the log says why. It is tried again.")


def _say(told: dict[str, int], as_json: bool) -> None:
    if as_json:
        print_json(told)
        return
    words = {
        "due": "to go",
        "files": "gone",
        "bytes": "bytes that these had",
        "waiting": "to go, but sent within the last day",
        "failed": "to go, but the disk does not let go",
        "later": "never named, to go later",
    }
    for name, count in told.items():
        click.echo(f"{words[name]}: {count}")
