"""`teral sites`: add and list sites, under the same rules as the page."""

from datetime import UTC, datetime
from typing import Any

import click
from sqlalchemy import select

from server.cli.context import print_json, with_app
from sync.models import SITE_KINDS, Site


@click.group("sites")
def sites_group() -> None:
    """Posts, centres, patrols and other places where tablets and people work."""


@sites_group.command("add")
@click.argument("code")
@click.option("--name", required=True)
@click.option("--kind", required=True, type=click.Choice(SITE_KINDS))
@click.option("--region", default="", help="ISO 3166-2, such as SN-SL.")
@click.option("--capacity", default="", help="Beds, for a centre.")
@click.option("--languages", default="", help="Codes separated by spaces, such as: fr wo ff.")
@click.option("--phone", default="")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_app
def add_command(code: str, as_json: bool, **details: str) -> None:
    """Add a site. Its CODE stands in forms and records and never changes."""
    from server.extensions import db
    from sync.db import begin_write
    from sync.sites import SiteDetails, SiteRefused, add_site

    begin_write(db.session())
    try:
        site = add_site(db.session(), code, SiteDetails(**details), None, datetime.now(UTC))
    except SiteRefused as refused:
        raise click.ClickException(refused.word()) from None
    print_json(_describe(site)) if as_json else click.echo(f"{site.code} {site.name}")


@sites_group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_app
def list_command(as_json: bool) -> None:
    """List all sites."""
    from server.extensions import db

    rows = [_describe(site) for site in db.session.scalars(select(Site).order_by(Site.code))]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['code']:12} {row['kind']:14} {row['name']}")


def _describe(site: Site) -> dict[str, Any]:
    return {
        "code": site.code,
        "name": site.name,
        "kind": site.kind,
        "region": site.region,
        "capacity": site.capacity,
        "closed": site.closed_at is not None,
    }
