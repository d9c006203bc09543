"""Lists that the server makes itself: a form that names one gets it without anybody uploading a file."""

import csv
import io
from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.models import Site

_SITE_COLUMNS = ("name", "label", "type", "region", "languages", "capacity", "phone")


def render_sites_csv(session: Session) -> bytes:
    """Make `sites.csv`: every open site by code, the same bytes as long as no site changes."""
    sites = session.scalars(select(Site).where(Site.closed_at.is_(None)))
    rows = [_site_row(site) for site in sorted(sites, key=lambda site: site.code)]
    return _render(_SITE_COLUMNS, rows)


SERVER_LISTS: dict[str, Callable[[Session], bytes]] = {"sites.csv": render_sites_csv}


def _site_row(site: Site) -> tuple[str, ...]:
    capacity = "" if site.capacity is None else str(site.capacity)
    return (site.code, site.name, site.kind, site.region or "", site.languages, capacity, site.phone)


def _render(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()
