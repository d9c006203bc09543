"""`teral link`: whom records are about. Files need no database."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from forms.errors import FormsError
from server.cli.context import print_json, word_refusal
from sync.linkage.decision import Pair
from sync.linkage.files import Linked, link_records, list_clusters, read_records
from sync.linkage.model import LinkModel, default_model, parse_model
from sync.linkage.record import LinkRecord
from sync.linkage.training import train_model

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

    Clusters follow the automatic rules; pairs hold every two records that were compared.
    """
    try:
        records, model = read_records(records_path.read_bytes()), _read_model(model_path)
        model = train_model(records, model) if trains else model
    except FormsError as refused:
        raise click.ClickException(word_refusal(refused)) from None
    linked = link_records(records, model, threshold)
    _write_csv(clusters_path, ("record_id", "cluster_id"), list_clusters(linked.decision))
    if pairs_path:
        _write_csv(pairs_path, ("record_id_l", "record_id_r", "score"), map(_pair_row, linked.pairs))
    _report(records, model, linked, as_json)


@link_group.command("train")
@click.argument("records_path", type=_INPUT, metavar="RECORDS.csv")
@click.option("--model", "model_path", type=_OUTPUT, required=True, help="Write the model here.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def train_command(records_path: Path, model_path: Path, as_json: bool) -> None:
    """Learn a model from the records of a spreadsheet, without labels."""
    try:
        records = read_records(records_path.read_bytes())
        model = train_model(records, default_model())
    except FormsError as refused:
        raise click.ClickException(word_refusal(refused)) from None
    model_path.write_text(model.to_json(), encoding="utf-8")
    result = {"records": len(records), "model": model.version, "matches_per_record": model.matches_per_record}
    print_json(result) if as_json else _print(result)


def _read_model(path: Path | None) -> LinkModel:
    return parse_model(path.read_text(encoding="utf-8", errors="replace")) if path else default_model()


def _pair_row(pair: Pair) -> tuple[str, str, str]:
    return pair.one, pair.other, f"{pair.bits:.4f}"


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _report(records: Sequence[LinkRecord], model: LinkModel, linked: Linked, as_json: bool) -> None:
    result = {
        "records": len(records),
        "pairs": len(linked.pairs),
        "persons": len(linked.decision.persons),
        "questions": len(linked.decision.questions),
        "model": model.version,
    }
    print_json(result) if as_json else _print(result)


def _print(result: dict[str, Any]) -> None:
    for name, value in result.items():
        click.echo(f"{name}: {value}")
