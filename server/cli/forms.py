"""`teral forms`: publish XLSForms and XForms, list versions, change their state."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from flask import current_app

from forms.errors import FormProblem, FormRefused, FormsError
from server.accounts.collect_settings import draft_url
from server.cli.context import command_line_language, print_json, with_app, word_refusal
from server.extensions import attachment_store, db
from server.publishing import PreparedForm, draft_prepared, prepare_form, publish_prepared
from server.words import translator, word_everywhere
from sync.db import begin_write
from sync.models import FormVersion
from sync.publishing import PublishRefused, change_form_state, list_versions, publish_draft

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("forms")
def forms_group() -> None:
    """Publish forms and see which versions tablets get."""


@forms_group.command("publish")
@click.argument("files", type=_FILE, nargs=-1, required=True, metavar="FILE...")
@click.option("--media", type=_FILE, multiple=True, help="A file that the form names; may be repeated.")
@click.option("--draft", is_flag=True, help="Only for tests: nothing is listed to tablets.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_app
def publish_command(files: Sequence[Path], media: Sequence[Path], draft: bool, as_json: bool) -> None:
    """Publish XLSForms (.xlsx, .xls, .csv, .md) and XForms (.xml); each FILE is judged alone."""
    given = {path.name: path.read_bytes() for path in media}
    results = [_publish_file(path, given, draft) for path in files]
    if as_json:
        print_json(results)
    else:
        _print_results(results)
    if any(result["outcome"] == "refused" for result in results):
        click.get_current_context().exit(1)


@forms_group.command("check")
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def check_command(context: click.Context, file: Path, as_json: bool) -> None:
    """Say what is wrong with an XLSForm or XForm; nothing is published.

    Exit status: 0 if the form can be published, 1 if it has errors.
    """
    # pyxform takes half a second to import.
    from forms.publishable import read_publishable

    try:
        read = read_publishable(file.read_bytes(), file.name, file.stem)
        facts = {"outcome": "publishable", "form_id": read.definition.form_id, "version": read.definition.version}
        problems: Sequence[FormProblem | FormsError] = read.problems
    except FormsError as refused:
        facts, problems = {"outcome": "refused"}, _problems_of(refused)
    result = {"file": str(file), **facts, "problems": [_describe_problem(one) for one in problems]}
    print_json(result) if as_json else _print_results([result])
    context.exit(1 if facts["outcome"] == "refused" else 0)


@forms_group.command("publish-draft")
@click.argument("form_id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_app
def publish_draft_command(form_id: str, as_json: bool) -> None:
    """Publish the draft of a form."""
    begin_write(db.session())
    try:
        published = publish_draft(db.session(), form_id, None, datetime.now(UTC))
    except PublishRefused as refused:
        raise click.ClickException(word_refusal(refused)) from None
    result = _describe(published.version) | {"outcome": published.outcome}
    print_json(result) if as_json else click.echo(f"{published.outcome}: {form_id} {published.version.version}")


@forms_group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_app
def list_command(as_json: bool) -> None:
    """List every version of every form."""
    rows = [_describe(version) for version in list_versions(db.session())]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['state']:8} {row['form_id']} {row['version']}  {row['title']}")


@forms_group.command("state")
@click.argument("form_id")
@click.argument("version")
@click.argument("state", type=click.Choice(["open", "closing", "closed"]))
@with_app
def state_command(form_id: str, version: str, state: str) -> None:
    """Open, retire (closing) or close a version; records that still come are always kept."""
    begin_write(db.session())
    try:
        change_form_state(db.session(), form_id, version, state, datetime.now(UTC))
    except PublishRefused as refused:
        raise click.ClickException(word_refusal(refused)) from None


def _publish_file(path: Path, media: dict[str, bytes], draft: bool) -> dict[str, Any]:
    """One file, one transaction: what is wrong with one form holds up no other."""
    try:
        prepared = prepare_form(attachment_store(), path.name, path.read_bytes(), media)
        begin_write(db.session())
        result = _keep_draft(prepared) if draft else _publish(prepared)
        db.session.commit()
    except FormsError as refused:
        db.session.rollback()
        problems = [_describe_problem(one) for one in _problems_of(refused)]
        return {"file": str(path), "outcome": "refused", "problems": problems}
    return {"file": str(path), **result, "problems": [_describe_problem(one) for one in prepared.warnings]}


def _problems_of(refused: FormsError) -> Sequence[FormProblem | FormsError]:
    return refused.problems if isinstance(refused, FormRefused) else [refused]


def _publish(prepared: PreparedForm) -> dict[str, Any]:
    published = publish_prepared(db.session(), prepared, None, datetime.now(UTC))
    return _describe(published.version) | {"outcome": published.outcome, "replayed": published.replayed}


def _keep_draft(prepared: PreparedForm) -> dict[str, Any]:
    version = draft_prepared(db.session(), prepared, datetime.now(UTC))
    settings = current_app.extensions["teral_settings"]
    test_url = draft_url(settings, version.draft_token or "", version.form.form_id)
    return _describe(version) | {"outcome": "draft", "test_url": test_url}


def _describe(version: FormVersion) -> dict[str, Any]:
    missing = [one.name for one in version.attachments if one.blob_sha256 is None and not one.server_made]
    return {
        "form_id": version.form.form_id,
        "version": version.version,
        "title": version.title,
        "state": version.state,
        "published_at": version.published_at and version.published_at.isoformat(),
        "sha256": version.sha256,
        "attachments": [one.name for one in version.attachments],
        "missing": missing,
    }


def _describe_problem(problem: FormProblem | FormsError) -> dict[str, Any]:
    if isinstance(problem, FormsError):
        words = {language: problem.word(translator(language)) for language in ("fr", "en")}
        return {"code": problem.code, "grade": "error", "words": words, "sheet": None, "row": None, "column": None}
    return {
        "code": problem.code,
        "grade": problem.grade,
        "words": word_everywhere(problem),
        "sheet": problem.sheet,
        "row": problem.row,
        "column": problem.column,
        "quoted": problem.quoted,
    }


def _print_results(results: list[dict[str, Any]]) -> None:
    for result in results:
        refused = result["outcome"] == "refused"
        name = "" if refused else f" ({result['form_id']} {result['version']})"
        click.echo(f"{result['outcome']}: {result['file']}{name}", err=refused)
        for problem in result["problems"]:
            click.echo(f"  {_place(problem)}{_words(problem)}", err=True)
        if result.get("test_url"):
            click.echo(f"  {result['test_url']}")


def _place(problem: dict[str, Any]) -> str:
    parts = [str(problem[part]) for part in ("sheet", "row", "column") if problem[part] is not None]
    return ":".join(parts) + ": " if parts else ""


def _words(problem: dict[str, Any]) -> str:
    words = problem["words"][command_line_language()]
    return f"{words} [{problem['quoted']}]" if problem.get("quoted") else words
