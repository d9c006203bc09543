"""Lists that the server makes itself: a form that names one gets it without anybody uploading a file.

Their earlier states are kept, since a record is judged by the list that its tablet had on board.
"""

import csv
import io
from collections.abc import Callable
from hashlib import md5

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.catalogue import lock_catalogue
from sync.models import EarlierList, Site

_SITE_COLUMNS = ("name", "label", "type", "region", "languages", "capacity", "phone")


def render_sites_csv(session: Session) -> bytes:
    """Make `sites.csv`: every open site by code, the same bytes as long as no site changes."""
    sites = session.scalars(select(Site).where(Site.closed_at.is_(None)))
    rows = [_site_row(site) for site in sorted(sites, key=lambda site: site.code)]
    return _render(_SITE_COLUMNS, rows)


SERVER_LISTS: dict[str, Callable[[Session], bytes]] = {"sites.csv": render_sites_csv}


def keep_server_lists(session: Session) -> None:
    """Keep every list as it is now. To be called before what it is made of changes."""
    # One after another: two who change sites at once would keep the same state twice.
    lock_catalogue(session)
    for name, render in SERVER_LISTS.items():
        data = render(session)
        if find_earlier_list(session, name, list_hash(data)) is None:
            session.add(EarlierList(name=name, hash=list_hash(data), data=data))


def find_earlier_list(session: Session, name: str, known_hash: str) -> bytes | None:
    """Find a list in the state that a tablet fetched, if it was kept."""
    found = session.get(EarlierList, (name, known_hash))
    return found.data if found is not None else None


def list_hash(data: bytes) -> str:
    """What tablets compare, and the log of their fetches keeps (OpenRosa manifest)."""
    return md5(data, usedforsecurity=False).hexdigest()


def _site_row(site: Site) -> tuple[str, ...]:
    capacity = "" if site.capacity is None else str(site.capacity)
    return (site.code, site.name, site.kind, site.region or "", site.languages, capacity, site.phone)


def _render(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()
