"""The accounts of relays: made with a password that is shown once, given a new one, shut out. They are no persons'."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.models import User
from server.accounts.users import AccountRefused, add_user, change_user, set_password
from server.config import Settings
from sync.audit import add_audit_event
from sync.models import Relay, Site
from sync.relaying.enrolment import enrol_relay, place_sites
from sync.relaying.lines import RelayRefused


@dataclass(frozen=True, slots=True)
class RelayAccess:
    """What is set at the post, in this one answer: the password is kept nowhere."""

    relay: Relay
    variables: dict[str, str | int]

    @property
    def text(self) -> str:
        return "\n".join(f"export {name}={value}" for name, value in self.variables.items())


def enrol(
    session: Session, settings: Settings, site: Site, behind: Sequence[Site], by: int | None, now: datetime
) -> RelayAccess:
    """Make the server at a site a relay for the tablets there and at the sites `behind` it, or raise RelayRefused."""
    email, password = f"{site.code.lower()}@relay.invalid", _make_password()
    try:
        user = add_user(session, email=email, role="relay", site=site, password=password, now=now, by=by)
    except AccountRefused as taken:
        # The address is the site's alone.
        raise RelayRefused("relay_exists", site=site.code) from taken
    relay = enrol_relay(session, site, user.actor_id, now, by)
    place_sites(session, relay, [site, *behind], now, by)
    return _describe(settings, relay, user, password)


def renew_password(session: Session, settings: Settings, relay: Relay, by: int | None, now: datetime) -> RelayAccess:
    """Give the same server a new password; one that was shut out is let in again."""
    user, password = get_account(session, relay), _make_password()
    set_password(session, user, password, now)
    user.disabled_at = None
    session.flush()
    add_audit_event(session, by, "relay.password_renewed", f"site:{relay.site.code}", now)
    return _describe(settings, relay, user, password)


def shut_out(session: Session, relay: Relay, by: int | None, now: datetime) -> None:
    """Refuse everything from a relay, over a link or on a USB key, from the next request on."""
    user = get_account(session, relay)
    change_user(session, user, role=user.role, site=user.site, disabled=True, now=now, by=by)
    relay.public_key = None
    add_audit_event(session, by, "relay.shut_out", f"site:{relay.site.code}", now)


def get_account(session: Session, relay: Relay) -> User:
    return session.scalars(select(User).where(User.actor_id == relay.actor_id)).one()


def find_shut_out(session: Session) -> set[int]:
    """The sites whose relays are shut out."""
    accounts = select(Relay.site_id).join(User, User.actor_id == Relay.actor_id)
    return set(session.scalars(accounts.where(User.disabled_at.is_not(None))))


def _make_password() -> str:
    # Nobody types it, so it may be long.
    return secrets.token_urlsafe(24)


def _describe(settings: Settings, relay: Relay, user: User, password: str) -> RelayAccess:
    variables: dict[str, str | int] = {
        "TERAL_UPSTREAM_URL": settings.base_url,
        "TERAL_UPSTREAM_USER": user.email,
        "TERAL_UPSTREAM_PASSWORD": password,
        "TERAL_UPSTREAM_NUMBER": relay.number,
    }
    return RelayAccess(relay, variables)
