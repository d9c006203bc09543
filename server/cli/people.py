"""`teral people`: what the registry holds about persons, for whoever stands at the server."""

from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from forms.definition import PERSON_PROPERTIES
from server.cli.context import print_json, with_app
from server.extensions import db
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
    query = select(PersonRecord).options(joinedload(PersonRecord.site), joinedload(PersonRecord.submission))
    rows = [_describe(one) for one in db.session.scalars(query.order_by(PersonRecord.reference))]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo("\t".join(str(row[name] or "") for name in ("reference", "family_name", "given_names", "site")))


def _describe(one: PersonRecord) -> dict[str, Any]:
    return {
        "reference": one.reference,
        "person": one.person_id,
        "form_id": one.submission.form_id,
        "instance_id": one.submission.instance_id,
        "path": one.path,
        "site": one.site.code if one.site else None,
        "ended_at": one.ended_at.isoformat() if one.ended_at else None,
        **{name: getattr(one, name) for name in _VALUES},
    }
