"""`teral link`: whom records are about. Files need no database; models and runs are the registry's."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forms.errors import FormsError
from server.cli.context import check_writable, command_line_language, print_json, with_app, word_refusal, writing_whole
from server.config import ConfigError
from server.words import translator
from sync.linkage.blocking import MOST_COMMON
from sync.linkage.decision import Pair
from sync.linkage.errors import LinkageRefused
from sync.linkage.fairness import GroupFigures
from sync.linkage.files import MOST_COMMON as MOST_IN_FILE
from sync.linkage.files import Linked, link_records, list_clusters, measure_file, weigh_pairs
from sync.linkage.model import LinkModel, default_model, parse_model
from sync.linkage.remarks import Remark, list_remarks, remark_left_out
from sync.linkage.spreadsheet import Spreadsheet, read_spreadsheet
from sync.linkage.training import train_model

if TYPE_CHECKING:
    from sync.link_runs import Run

_INPUT = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUTPUT = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.group("link")
def link_group() -> None:
    """Which records are about one person."""


@link_group.command("file")
@click.argument("records_path", type=_INPUT, metavar="RECORDS.csv")
@click.option("--clusters", "clusters_path", type=_OUTPUT, required=True, help="Write record_id,cluster_id here.")
@click.option("--pairs", "pairs_path", type=_OUTPUT, help="Write record_id_l,record_id_r,score (bits) here.")
@click.option("--model", "model_path", type=_INPUT, help="Weigh by this model instead of the one that ships.")
@click.option("--train", "trains", is_flag=True, help="Learn a model from the file first, without labels.")
@click.option("--threshold", type=float, help="Link from so many bits on, instead of the model's.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def file_command(
    records_path: Path,
    clusters_path: Path,
    pairs_path: Path | None,
    model_path: Path | None,
    trains: bool,
    threshold: float | None,
    as_json: bool,
) -> None:
    """Link the records of a spreadsheet, with any of the columns record_id, family_name, given_name, sex, birth_date,
    age, nationality, birth_place, mother_name, phone, document_type, document_number, post, tablet, recorded_on.

    It is CSV in any common encoding, or a workbook (xlsx, xls, ods) of which the first sheet is read.

    Clusters are the persons that a registry would make of the same records. Two that one post wrote down on one day in
    other words, without the same papers, are left to people. Where more hang together than can be decided at once, at
    a low threshold, they are parted where they weigh least.

    Pairs hold every two records that were compared, with the bits at which their groups of records join, on average
    over all pairs between the two; where they do not join, with the pair's own bits and never more than 0. Two that
    were never compared are added where others bring them together.
    """
    _check_apart([records_path, model_path], [clusters_path, pairs_path])
    check_writable(clusters_path, pairs_path)
    with _refusing():
        sheet, model = _read_sheet(records_path), _read_model(model_path)
        model = train_model(sheet.records, model) if trains else model
    linked = link_records(sheet.records, model, threshold)
    _write_csv(clusters_path, ("record_id", "cluster_id"), list_clusters(linked.decision))
    if pairs_path:
        _write_csv(pairs_path, ("record_id_l", "record_id_r", "score"), map(_pair_row, weigh_pairs(linked)))
    _say(remark_left_out(linked.left_out, MOST_IN_FILE))
    _report(sheet, model, linked, as_json)


@link_group.command("train")
@click.argument("records_path", type=_INPUT, metavar="[RECORDS.csv]", required=False)
@click.option("--model", "model_path", type=_OUTPUT, help="Write the model here.")
@click.option("--shadow", is_flag=True, help="Let the model read the registry's records beside the active one.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def train_command(records_path: Path | None, model_path: Path | None, shadow: bool, as_json: bool) -> None:
    """Learn a model: from a spreadsheet without labels, or, without one, from the registry and what people decided.

    A model learnt from the registry is kept there, and reported on; `teral link activate` makes it the active one.
    """
    check_writable(model_path)
    if records_path is None:
        _train_from_registry(model_path, shadow, as_json)
        return
    if model_path is None:
        raise click.UsageError("Say with --model where the model is to be written.")
    _check_apart([records_path], [model_path])
    with _refusing():
        sheet = _read_sheet(records_path)
        model = train_model(sheet.records, default_model())
    _write_model(model_path, model)
    result = {"records": len(sheet.records), "model": model.version, "matches_per_record": model.matches_per_record}
    _tell(sheet, result, measure_file(sheet.records, link_records(sheet.records, model)), as_json)


@with_app
def _train_from_registry(model_path: Path | None, shadow: bool, as_json: bool) -> None:
    from server.linking import learn_from_registry, run_registry

    with _refusing():
        model = learn_from_registry(shadow=shadow)
        if model_path:
            _write_model(model_path, model)
        run = run_registry(model)
    _report_run(run, as_json)


@link_group.command("run")
@click.option(
    "--engine", type=click.Choice(["duckdb", "spark"]), help="Instead of the one that TERAL_LINK_ENGINE names."
)
@click.option("--model", "version", help="Run this kept model instead of the active one: what would it change?")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_app
def run_command(engine: str | None, version: str | None, as_json: bool) -> None:
    """Weigh all records of the registry anew, and report what that would change, for whom, and how far to trust it.

    Only what the active model overlooked when a record came is put right. What people decided is never undone.
    """
    from server.linking import read_model, run_registry

    with _refusing():
        run = run_registry(read_model(version) if version else None, engine)
    _report_run(run, as_json)


@link_group.command("import")
@click.argument("records_path", type=_INPUT, metavar="RECORDS.csv")
@click.option("--register", required=True, help="Name of the register that they come from; kept with each record.")
@click.option("--site", "code", required=True, help="Code of the site whose records they are.")
@click.option("--confirm", is_flag=True, help="Take them in; without it, what would become of them is told.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_app
def import_command(records_path: Path, register: str, code: str, confirm: bool, as_json: bool) -> None:
    """Take in the records of an older register, with the columns of `teral link file`, or say what would become of it.

    A record that was taken in before, by its record_id, is not taken twice.
    """
    from server.extensions import db
    from server.linking import describe_run, import_register, look_ahead
    from sync.legacy import find_new
    from sync.sites import find_site

    register = register.strip()
    if not register:
        raise click.UsageError("Name the register: it says where each of its records comes from.")
    with _refusing():
        sheet = _read_sheet(records_path)
        if "record_id" in sheet.missing:
            raise LinkageRefused("link_file_ids")
    site = find_site(db.session(), code)
    if site is None:
        raise click.ClickException(f"There is no site {code}.")
    records = sheet.records
    if confirm:
        taken = import_register(records, register, site.id)
        result: dict[str, Any] = {"taken_in": taken.new, "here_before": taken.known}
    else:
        new = find_new(db.session(), records, register)
        with _refusing():
            report = describe_run(look_ahead(new))
        told = ("persons_before", "persons", "joined", "questions")
        result = {"new": len(new), "here_before": len(records) - len(new), **{name: report[name] for name in told}}
    print_json(result | _describe(sheet)) if as_json else _print(result)


@link_group.command("add")
@click.argument("model_path", type=_INPUT, metavar="MODEL.json")
@click.option("--shadow", is_flag=True, help="Let the model read the registry's records beside the active one.")
@with_app
def add_command(model_path: Path, shadow: bool) -> None:
    """Keep a model that `teral link train --model` wrote, here or elsewhere; `teral link activate` makes it the active
    one.
    """
    from server.linking import keep

    try:
        model = _read_model(model_path)
    except FormsError as refused:
        raise click.ClickException(word_refusal(refused)) from None
    keep(model, shadow=shadow)
    click.echo(model.version)


@link_group.command("models")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_app
def models_command(as_json: bool) -> None:
    """List the models that are kept, oldest first, which of them links, and whether the registry has outgrown it."""
    from server.linking import list_states

    rows = list_states()
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['version']}\t{row['state']}\t{row['added_at']}")
        _warn_of_crowds(row["crowded"])


@link_group.command("activate")
@click.argument("version")
@click.option("--reason", required=True, help="Why; kept in the journal.")
@with_app
def activate_command(version: str, reason: str) -> None:
    """Make a kept model the active one: all persons are decided anew by it, while the server works on."""
    from server.linking import activate

    with _refusing():
        activate(version, reason)
    click.echo(f"The job process lets {version} read all records; then it links by it.")


@link_group.command("drop")
@click.argument("version")
@with_app
def drop_command(version: str) -> None:
    """Let a model that reads along read no more, and forget what it read; the model stays, and can be activated."""
    from server.linking import drop

    with _refusing():
        drop(version)
    click.echo(f"{version} reads no more records.")


@contextmanager
def _refusing() -> Iterator[None]:
    """What cannot be is told in a line."""
    try:
        yield
    except FormsError as refused:
        raise click.ClickException(word_refusal(refused)) from None
    except ConfigError as error:
        raise click.ClickException(str(error)) from None


def _report_run(run: "Run | None", as_json: bool) -> None:
    from server.linking import describe_run

    report: dict[str, Any] = describe_run(run) if run else {"records": 0, "calibration": (), "fairness": ()}
    if as_json:
        print_json(report)
        return
    _print({name: value for name, value in report.items() if name not in ("calibration", "fairness")})
    _warn_of_crowds(report.get("crowded", 0))
    _say(remark_left_out(report.get("left_out", 0), report.get("most_common", 0)))
    for one in report["calibration"]:
        shares = f"{one['expected']:.3f} expected, {one['observed']:.3f} observed"
        click.echo(f"from {one['from_bits']} bits: {one['pairs']} labels, {shares}")
    _print_fairness(report["fairness"])


def _print_fairness(figures: Iterable[Mapping[str, Any]]) -> None:
    for one in figures:
        shares = ", ".join(f"{name} {_share(one[name])}" for name in ("linked", "load", "precision", "recall"))
        by = f"{one['labels']} labels" if one["labels"] else "no label: as the weights let expect"
        known = f" ({by})" if one["labels"] or one["recall"] is not None else ""
        click.echo(f"{one['kind']} {one['value'] or '?'}: {one['records']} records, {shares}{known}")


def _warn_of_crowds(keys: int) -> None:
    if keys:
        said = f"{keys} keys have outgrown this model: more than {MOST_COMMON} records share each, and finding is slow."
        click.echo(f"{said} Train another: teral link train --shadow", err=True)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _check_apart(read: Sequence[Path | None], written: Sequence[Path | None]) -> None:
    """What is written takes the place of nothing that is read: a register may be there once only."""
    sources, targets = ([path.resolve() for path in paths if path] for paths in (read, written))
    if set(sources) & set(targets) or len(set(targets)) < len(targets):
        raise click.UsageError("Each file that is written must be another than the others.")


def _read_sheet(path: Path) -> Spreadsheet:
    """The file, with what was not understood of it said to whoever gave it: nothing of that stops the work."""
    sheet = read_spreadsheet(path.read_bytes())
    _say(list_remarks(sheet))
    return sheet


def _say(remarks: Iterable[Remark]) -> None:
    for one in remarks:
        click.echo(one.word(translator(command_line_language())), err=True)


def _describe(sheet: Spreadsheet) -> dict[str, Any]:
    return {
        "columns_unknown": sheet.unknown,
        "columns_missing": sheet.missing,
        "values_unread": sheet.unread,
        "ages_undated": sheet.undated,
    }


def _read_model(path: Path | None) -> LinkModel:
    return parse_model(path.read_text(encoding="utf-8", errors="replace")) if path else default_model()


def _write_model(path: Path, model: LinkModel) -> None:
    with writing_whole(path) as file:
        file.write(model.to_json())


def _pair_row(pair: Pair) -> tuple[str, str, str]:
    return pair.one, pair.other, f"{pair.bits:.4f}"


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with writing_whole(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _report(sheet: Spreadsheet, model: LinkModel, linked: Linked, as_json: bool) -> None:
    result = {
        "records": len(sheet.records),
        "pairs": len(linked.weighed),
        "persons": len(linked.decision.persons),
        "questions": len(linked.decision.questions),
        "left_out": linked.left_out,
        "model": model.version,
    }
    _tell(sheet, result, measure_file(sheet.records, linked), as_json)


def _tell(sheet: Spreadsheet, result: dict[str, Any], figures: Sequence[GroupFigures], as_json: bool) -> None:
    """What became of a file, with the figures of its groups."""
    told = [asdict(one) for one in figures]
    if as_json:
        print_json(result | _describe(sheet) | {"fairness": told, "fairness_by": "model"})
        return
    _print(result)
    _print_fairness(told)


def _print(result: dict[str, Any]) -> None:
    for name, value in result.items():
        click.echo(f"{name}: {value}")
