"""`teral validate`: records against a form, without any server or database."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from forms.errors import FormRefused, FormsError
from forms.lists import HeldLists
from server.cli.context import command_line_language, print_json, word_refusal
from server.validation import GivenForm, Validator, describe, read_answers
from server.validation_lines import answer_lines
from server.words import translator

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
INVALID, UNREADABLE = 1, 2


@click.command("validate")
@click.argument("submissions", type=_FILE, nargs=-1, metavar="[SUBMISSION.xml]...")
@click.option("--form", "form_path", type=_FILE, help="The form: XLSForm (.xlsx, .xls, .csv, .md) or XForm (.xml).")
@click.option("--media", type=_FILE, multiple=True, help="A list that the form names; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--answers", "with_answers", is_flag=True, help="With --json: print the answers too, as typed values.")
@click.option("--jsonl", "by_line", is_flag=True, help="Read JSON objects from standard input, one a line.")
@click.pass_context
def validate_command(
    context: click.Context,
    submissions: Sequence[Path],
    form_path: Path | None,
    media: Sequence[Path],
    as_json: bool,
    with_answers: bool,
    by_line: bool,
) -> None:
    """Judge records by a form as ODK Collect would have, without any database.

    Exit status: 0 if no record has an error, 1 if one has, 2 if the form or a record cannot be read or
    the command is misused.

    With --jsonl each line of standard input is an object with id, form_xml, submission_xml and media (texts by file
    name); each line of output has id, valid, errors and warnings. What cannot be judged is not valid, and error says
    why. The status is then 0 whatever the records are like.
    """
    if by_line:
        if form_path or submissions:
            raise click.UsageError("--jsonl reads forms and records from standard input.")
        _answer_input()
        return
    if form_path is None or not submissions:
        raise click.UsageError("Name a form with --form and at least one record.")
    if with_answers and not as_json:
        raise click.UsageError("--answers goes with --json.")
    results = _validate_files(form_path, media, submissions, with_answers=with_answers)
    print_json(results) if as_json else _print_results(results)
    context.exit(_exit_status(results))


def _answer_input() -> None:
    for answer in answer_lines(sys.stdin.buffer, Validator()):
        click.echo(json.dumps(answer))  # flushes: whoever asks line by line waits for the answer


def _validate_files(
    form_path: Path, media: Sequence[Path], submissions: Sequence[Path], *, with_answers: bool
) -> list[dict[str, Any]]:
    validator = Validator()
    try:
        form = validator.find_form(form_path.name, form_path.read_bytes())
        lists = validator.find_lists(form, {path.name: path.read_bytes() for path in media})
    except FormsError as refused:
        _print_refusal(form_path, refused)
        raise click.exceptions.Exit(UNREADABLE) from None
    results = [_validate_file(validator, form, lists, path) for path in submissions]
    if with_answers:
        _add_answers(results, form, submissions)
    return results


def _add_answers(results: list[dict[str, Any]], form: GivenForm, submissions: Sequence[Path]) -> None:
    for one, path in zip(results, submissions, strict=True):
        if "error" not in one:
            one["answers"] = read_answers(form, path.read_bytes())


def _print_refusal(path: Path, refused: FormsError) -> None:
    problems = refused.problems if isinstance(refused, FormRefused) else [refused]
    for problem in problems:
        click.echo(f"{path}: {problem.word(translator(command_line_language()))}", err=True)


def _validate_file(validator: Validator, form: GivenForm, lists: HeldLists, path: Path) -> dict[str, Any]:
    try:
        findings = validator.validate(form, path.read_bytes(), lists, command_line_language())
    except FormsError as refused:
        return {"file": str(path), "error": word_refusal(refused)}
    return {"file": str(path), **describe(findings, form.definition)}


def _exit_status(results: list[dict[str, Any]]) -> int:
    if any("error" in one for one in results):
        return UNREADABLE
    return 0 if all(one["valid"] for one in results) else INVALID


def _print_results(results: list[dict[str, Any]]) -> None:
    for one in results:
        if "error" in one:
            click.echo(f"{one['file']}: {one['error']}", err=True)
            continue
        click.echo(f"{one['file']}: {'valid' if one['valid'] else 'invalid'}")
        for grade in ("error", "warning"):
            for finding in one[f"{grade}s"]:
                label, words = finding["label"][command_line_language()], finding["words"][command_line_language()]
                click.echo(f"  {grade}: {finding['path']} ({label}): {words}")
