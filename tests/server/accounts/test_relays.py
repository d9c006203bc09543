"""A relay's account: let in with what was told once, out when it is revoked, and back with a new password."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.models import User
from server.accounts.relays import RelayAccess, enrol, find_shut_out, renew_password, shut_out
from server.accounts.users import find_user, verify_password
from server.config import Settings
from sync.models import AuditEvent, RelayedSite
from sync.relaying.lines import RelayRefused
from tests.accounts import add_site

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
CENTRE = Settings(public_url="https://teral.example")


@pytest.fixture
def access(session: Session) -> RelayAccess:
    return enrol(session, CENTRE, add_site(session, "KLK"), [add_site(session, "BKL")], None, NOW)


def lets_in(session: Session, access: RelayAccess) -> bool:
    user = find_user(session, str(access.variables["TERAL_UPSTREAM_USER"]))
    return verify_password(user, str(access.variables["TERAL_UPSTREAM_PASSWORD"]))


@pytest.mark.both_databases
def test_what_is_told_once_lets_the_relay_in(session: Session, access: RelayAccess) -> None:
    assert access.text.splitlines()[0] == "export TERAL_UPSTREAM_URL=https://teral.example"
    assert access.text.splitlines()[3] == "export TERAL_UPSTREAM_NUMBER=1"
    assert lets_in(session, access)
    assert len(session.scalars(select(RelayedSite)).all()) == 2
    assert session.scalars(select(User.role)).all() == ["relay"]


def test_a_site_has_one_relay(session: Session, access: RelayAccess) -> None:
    with pytest.raises(RelayRefused, match="KLK has a relay already"):
        enrol(session, CENTRE, access.relay.site, [], None, NOW)


@pytest.mark.both_databases
def test_a_relay_is_shut_out_until_it_gets_a_new_password(session: Session, access: RelayAccess) -> None:
    access.relay.public_key = "key"
    shut_out(session, access.relay, None, NOW)
    assert find_shut_out(session) == {access.relay.site_id}
    # Neither over a link nor on a USB key.
    assert (lets_in(session, access), access.relay.public_key) == (False, None)
    again = renew_password(session, CENTRE, access.relay, None, NOW)
    assert (lets_in(session, again), lets_in(session, access), find_shut_out(session)) == (True, False, set())
    assert again.variables["TERAL_UPSTREAM_NUMBER"] == 1
    told = [
        one for one in session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)) if one.startswith("relay.")
    ]
    assert told == ["relay.enrolled", "relay.placed", "relay.shut_out", "relay.password_renewed"]
