"""`teral backup` and `teral restore`: one archive with database and attachments."""

from pathlib import Path

import click

from server.cli.context import print_json, with_app, with_empty_app


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--replace", "replaces", is_flag=True, help="Take the place of a FILE that exists, once whole.")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as JSON.")
@with_app
def backup_command(file: Path, replaces: bool, as_json: bool) -> None:
    """Write database and attachments into FILE while the server runs. It holds personal data: keep it encrypted.

    Keep TERAL_SECRET_KEY apart from it: without that key tablets must be enrolled anew.
    """
    from server.backup import BackupRefused, write_backup
    from server.extensions import attachment_store, db

    try:
        manifest = write_backup(db.engine, attachment_store(), file, replaces=replaces)
    except OSError as error:
        raise click.ClickException(f"The backup was not written: {error.strerror}.") from error
    except BackupRefused as refused:
        raise click.ClickException(str(refused)) from None
    _print(manifest, as_json)
    if manifest["missing"]:
        lost = len(manifest["missing"])
        raise click.ClickException(f"{lost} files are lost or altered in the store; all else is in the backup.")


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as JSON.")
@with_empty_app
def restore_command(file: Path, as_json: bool) -> None:
    """Read FILE into an empty database of either kind, everything or nothing."""
    from server.backup import BackupRefused, read_backup
    from server.extensions import attachment_store, db

    try:
        manifest = read_backup(db.engine, attachment_store(), file)
    except BackupRefused as refused:
        raise click.ClickException(str(refused)) from None
    _print(manifest, as_json)


def _print(manifest: dict[str, object], as_json: bool) -> None:
    if as_json:
        print_json(manifest)
        return
    tables = manifest["tables"]
    rows = sum(one["rows"] for one in tables.values()) if isinstance(tables, dict) else 0
    click.echo(f"{rows} rows, {manifest['files']} files")
