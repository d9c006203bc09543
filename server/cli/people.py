"""`teral people`: what the registry holds about persons, for whoever stands at the server."""

from dataclasses import asdict
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from forms.definition import PERSON_PROPERTIES
from server.cli.context import print_json, with_app
from server.extensions import db
from sync.golden import read_golden
from sync.models import PersonRecord

_VALUES = tuple(name for name in PERSON_PROPERTIES if hasattr(PersonRecord, name))


@click.group("people")
def people_group() -> None:
    """Persons as the registry knows them."""


@people_group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_app
def list_command(as_json: bool) -> None:
    """List every person record with its values: personal data, in order of references."""
    query = select(PersonRecord).options(
        joinedload(PersonRecord.site), joinedload(PersonRecord.submission), joinedload(PersonRecord.person)
    )
    rows = [_describe(one) for one in db.session.scalars(query.order_by(PersonRecord.reference))]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo("\t".join(str(row[name] or "") for name in ("reference", "family_name", "given_names", "site")))


@people_group.command("known")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_app
def known_command(as_json: bool) -> None:
    """List every person once, with what is known of them and which records say so: personal data."""
    query = select(PersonRecord).options(joinedload(PersonRecord.submission), joinedload(PersonRecord.person))
    persons: dict[str, list[PersonRecord]] = {}
    for one in db.session.scalars(query):
        persons.setdefault(one.person.reference, []).append(one)
    rows = [_describe_known(reference, persons[reference]) for reference in sorted(persons)]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        names = (row["values"].get(name, {}).get("value") or "" for name in ("family_name", "given_names"))
        click.echo("\t".join((row["reference"], *names, " ".join(row["records"]))))


def _describe_known(reference: str, records: list[PersonRecord]) -> dict[str, Any]:
    golden = read_golden(db.session(), records)
    return {
        "reference": reference,
        "records": sorted(one.reference for one in records),
        "values": {name: asdict(one) for name, one in golden.items()},
    }


def _describe(one: PersonRecord) -> dict[str, Any]:
    return {
        "reference": one.reference,
        "person": one.person.reference,
        "form_id": one.submission.form_id,
        "instance_id": one.submission.instance_id,
        "path": one.path,
        "site": one.site.code if one.site else None,
        "ended_at": one.ended_at.isoformat() if one.ended_at else None,
        **{name: getattr(one, name) for name in _VALUES},
    }
