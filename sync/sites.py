"""Sites: added and changed by administrators. Their code stands in forms and records, so it never changes."""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from forms.errors import N_, FormsError
from sync.audit import add_audit_event
from sync.catalogue import bump_catalogue
from sync.models import SITE_KINDS, Site
from sync.server_lists import keep_server_lists

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_REGION = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}")
_CAPACITY = re.compile(r"[0-9]{1,6}")
_LONGEST = {"name": 255, "languages": 64, "phone": 32}


class SiteRefused(FormsError):
    """Something that a site cannot be."""

    messages = {
        "site_code": N_("A code has 1 to 32 letters, digits, hyphens or underscores."),
        "site_code_taken": N_("Another site has this code."),
        "site_name": N_("A site needs a name."),
        "site_kind": N_("There is no such kind of site."),
        "site_region": N_("A region is an ISO 3166-2 code such as SN-SL."),
        "site_capacity": N_("The capacity is a whole number."),
        "site_long": N_("Name, languages or telephone are too long."),
    }


@dataclass(frozen=True, slots=True)
class SiteDetails:
    """What can be said and changed about a site. Texts as typed; `capacity` may be blank."""

    name: str
    kind: str
    region: str = ""
    capacity: str = ""
    languages: str = ""
    phone: str = ""

    def check(self) -> None:
        """Raise SiteRefused for the first thing that is wrong."""
        if not self.name.strip():
            raise SiteRefused("site_name")
        if self.kind not in SITE_KINDS:
            raise SiteRefused("site_kind")
        if self.region and not _REGION.fullmatch(self.region):
            raise SiteRefused("site_region")
        if self.capacity and not _CAPACITY.fullmatch(self.capacity):
            raise SiteRefused("site_capacity")
        # PostgreSQL refuses what its columns cannot hold, SQLite keeps it: we say no before either.
        if any(len(getattr(self, name)) > most for name, most in _LONGEST.items()):
            raise SiteRefused("site_long")


def find_site(session: Session, code: str) -> Site | None:
    """Find a site by its code."""
    return session.scalar(select(Site).where(Site.code == code))


def add_site(session: Session, code: str, details: SiteDetails, actor_id: int | None, now: datetime) -> Site:
    """Add a site; tablets get it with their next list of sites."""
    details.check()
    if not _CODE.fullmatch(code):
        raise SiteRefused("site_code")
    # Two codes that differ in case alone would be mixed up by people, and by some spreadsheets.
    if session.scalar(select(Site.id).where(func.lower(Site.code) == code.lower())):
        raise SiteRefused("site_code_taken")
    keep_server_lists(session)
    site = Site(code=code, created_at=now)
    _fill(site, details)
    session.add(site)
    session.flush()
    _tell(session, "site.added", site, actor_id, now)
    return site


def change_site(
    session: Session, site: Site, details: SiteDetails, closed: bool, actor_id: int | None, now: datetime
) -> None:
    """Change what is said about a site, or close it; what came from there stays."""
    details.check()
    keep_server_lists(session)
    _fill(site, details)
    site.closed_at = (site.closed_at or now) if closed else None
    session.flush()
    _tell(session, "site.changed", site, actor_id, now)


def _fill(site: Site, details: SiteDetails) -> None:
    site.name, site.kind = details.name.strip(), details.kind
    site.region = details.region or None
    site.capacity = int(details.capacity) if details.capacity else None
    site.languages, site.phone = details.languages.strip(), details.phone.strip()


def _tell(session: Session, action: str, site: Site, actor_id: int | None, now: datetime) -> None:
    bump_catalogue(session)
    add_audit_event(session, actor_id, action, f"site:{site.code}", now)
