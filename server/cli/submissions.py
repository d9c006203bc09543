"""`teral submissions`: list what came, and decide about what waits."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import click
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from forms.errors import FormsError
from server.cli.context import print_json, with_app, word_refusal
from server.extensions import db
from server.keys import unlock_submissions
from sync.db import begin_write
from sync.models import SUBMISSION_STATES, Site, Submission
from sync.quarantine import accept, reject, replay


@click.group("submissions")
def submissions_group() -> None:
    """See what tablets sent, and decide about what waits."""


@submissions_group.command("list")
@click.option("--state", type=click.Choice(SUBMISSION_STATES), help="Only submissions in this state.")
@click.option("--form", "form_id", help="Only submissions of this form.")
@click.option("--site", "site_code", help="Only submissions that came from this site.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many, the newest ones.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_app
def list_command(
    state: str | None, form_id: str | None, site_code: str | None, limit: int | None, as_json: bool
) -> None:
    """List submissions, the newest first, without their answers."""
    rows = [_describe(one) for one in db.session.scalars(_select(state, form_id, site_code).limit(limit))]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo("\t".join(str(row[name] or "") for name in ("id", "state", "reason", "form_id", "instance_id")))


def _decision(name: str, decide: Callable[..., Any], needs_reason: bool, told: str) -> click.Command:
    """The three decisions differ in their verb only."""

    @with_app
    def run(ids: Sequence[int], reason: str) -> None:
        begin_write(db.session())
        for submission_id in ids:
            submission = db.session.get(Submission, submission_id)
            if submission is None:
                raise click.ClickException(f"There is no submission {submission_id}; nothing was decided.")
            try:
                decide(db.session(), submission, None, reason, datetime.now(UTC))
            except FormsError as refused:
                raise click.ClickException(f"{submission_id}: {word_refusal(refused)}") from refused

    arguments = click.Argument(["ids"], type=int, nargs=-1, required=True, metavar="ID...")
    option = click.Option(["--reason"], default="", required=needs_reason, help="It stays with the record.")
    return click.Command(name, callback=run, params=[arguments, option], help=told)


submissions_group.add_command(_decision("replay", replay, False, "Judge submissions anew, as if nobody had decided."))
submissions_group.add_command(_decision("accept", accept, True, "Let submissions count in spite of their findings."))
submissions_group.add_command(_decision("reject", reject, True, "Let submissions count for nothing; they are kept."))


@submissions_group.command("unlock")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_app
def unlock_command(as_json: bool) -> None:
    """Take up encrypted submissions again whose key has come (TERAL_DECRYPTION_KEYS)."""
    released = unlock_submissions()
    print_json({"released": released}) if as_json else click.echo(f"released: {released}")


def _select(state: str | None, form_id: str | None, site_code: str | None) -> Select[Submission]:
    found = select(Submission).where(Submission.is_draft.is_(False))
    if state:
        found = found.where(Submission.state == state)
    if form_id:
        found = found.where(Submission.form_id == form_id)
    if site_code:
        found = found.where(Submission.site_id.in_(select(Site.id).where(Site.code == site_code)))
    loaded = joinedload(Submission.device), joinedload(Submission.site)
    return found.options(*loaded).order_by(Submission.id.desc())


def _describe(one: Submission) -> dict[str, Any]:
    return {
        "id": one.id,
        "form_id": one.form_id,
        "version": one.version,
        "instance_id": one.instance_id,
        "deprecated_id": one.deprecated_id,
        "state": one.state,
        "reason": one.reason,
        "waits_for": one.waits_for,
        "errors": one.error_count,
        "missing_files": one.missing_files,
        "twin_of": one.twin_of_id,
        "superseded_by": one.superseded_by_id,
        "decision": one.decision,
        "site": one.site.code if one.site else None,
        "device": one.device.name if one.device else None,
        "received_at": one.received_at.isoformat(),
        "ended_at": one.ended_at.isoformat() if one.ended_at else None,
    }
