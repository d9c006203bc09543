"""`teral tablets`: let simulated tablets fill the published forms and send what they filled."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from server.cli.context import print_json
from server.config import Settings

_RATE = click.FloatRange(0, 1)


@click.command("tablets")
@click.argument("enrolments", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--tablets", type=click.IntRange(1), help="Use only the first so many of the enrolled tablets.")
@click.option("--records", default=10, show_default=True, type=click.IntRange(0), help="Records per tablet and day.")
@click.option("--days", default=1, show_default=True, type=click.IntRange(0), help="Days without a network.")
@click.option("--lost-answers", default=0.0, type=_RATE, help="Part of the posts whose answer gets lost.")
@click.option("--cuts", default=0.0, type=_RATE, help="Part of the posts cut in the middle.")
@click.option("--duplicates", default=0.0, type=_RATE, help="Part of the sent records that are sent once more.")
@click.option("--edits", default=0.0, type=_RATE, help="Part of the records that are corrected later.")
@click.option("--files-per-post", default=101, type=click.IntRange(1), help="Split posts after so many files.")
@click.option("--clock-ahead", default=0.0, help="Seconds by which the tablets' clocks are ahead.")
@click.option("--digest", is_flag=True, help="Log in by Digest instead of the token address.")
@click.option("--seed", default=1, show_default=True, help="The same seed invents the same week.")
@click.option("--at-once", default=4, show_default=True, type=click.IntRange(1), help="Tablets that ring together.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON only.")
def tablets_command(
    enrolments: tuple[Path, ...], tablets: int | None, as_json: bool, files_per_post: int, clock_ahead: float,
    **options: Any,
) -> None:  # fmt: skip
    """Simulate ODK Collect on tablets: ENROLMENTS are files of `teral devices enrol --json`, by default the demo's."""
    from server.tablets.fleet import Plan, make_fleet, run_fleet

    known = _read_enrolments(enrolments or (Settings.from_environment().data_path / "demo.json",))[:tablets]
    plan = Plan(until=datetime.now(UTC), most_files=files_per_post, clock_ahead_s=clock_ahead, **options)
    summary = run_fleet(make_fleet(known, plan), plan)
    if as_json:
        print_json(summary)
    else:
        for name, value in summary.items():
            click.echo(f"{name}: {value}")
    if summary["failed"] or summary["faults"]:
        click.get_current_context().exit(1)


def _read_enrolments(paths: tuple[Path, ...]) -> list[dict[str, Any]]:
    return [one for path in paths for one in _read_file(path)]


def _read_file(path: Path) -> list[dict[str, Any]]:
    """One enrolment, a list of them, or the demo's file, which has logins too."""
    try:
        content = json.loads(path.read_text())
        content = content.get("tablets", [content]) if isinstance(content, dict) else content
        if not all("server_url" in one for one in content):
            raise ValueError("no address")
    except (OSError, ValueError, TypeError) as error:
        raise click.ClickException(f"{path} holds no enrolment: {type(error).__name__}.") from error
    return list(content)
