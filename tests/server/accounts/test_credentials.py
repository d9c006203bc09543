"""Enrol, rotate, revoke: who may read, who may only send, who nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from server.accounts.credentials import (
    Enrolment,
    Holder,
    enrol_device,
    find_credential_by_token,
    find_credential_by_username,
    is_password_of,
    read_ha1,
    revoke_device,
    rotate_credential,
)
from server.accounts.digest import ha1
from server.accounts.models import DeviceCredential
from server.config import Settings
from sync.devices import find_device
from sync.models import Device
from tests.sync.factory import NOW, add_site

pytestmark = pytest.mark.both_databases

GRACE = 60


@pytest.fixture
def enrolment(session: Session, settings: Settings) -> Enrolment:
    return enrol_device(session, settings, add_site(session), "ROS-1", NOW)


def device(session: Session) -> Device:
    found = find_device(session, "ROS-1")
    assert found is not None
    return found


def find(session: Session, token: str, now: datetime = NOW) -> Holder:
    holder = find_credential_by_token(session.connection(), token, now, GRACE)
    assert holder is not None
    return holder


def test_enrolled_tablet_may_do_all(session: Session, enrolment: Enrolment) -> None:
    holder = find(session, enrolment.token)
    assert (holder.right, holder.site_kind, holder.language) == ("all", "border_post", "fr")
    assert enrolment.server_url == f"http://teral.test/v1/key/{enrolment.token}/projects/1"


def test_secrets_are_not_in_the_database(session: Session, enrolment: Enrolment) -> None:
    stored = str([dict(row) for row in session.execute(select(DeviceCredential.__table__)).mappings()])
    assert enrolment.token not in stored
    assert enrolment.password not in stored


def test_user_name_and_password_lead_to_the_same_tablet(
    session: Session, enrolment: Enrolment, settings: Settings
) -> None:
    holder = find_credential_by_username(session.connection(), enrolment.username, NOW, GRACE)
    assert holder is not None
    assert is_password_of(holder, enrolment.password)
    assert not is_password_of(holder, "wrong")
    assert read_ha1(holder, settings.secret_key) == ha1(enrolment.username, enrolment.password)


def test_unknown_credentials_are_nobody(session: Session) -> None:
    assert find_credential_by_token(session.connection(), "x" * 64, NOW, GRACE) is None
    assert find_credential_by_username(session.connection(), "nobody", NOW, GRACE) is None


def test_rotated_token_may_only_send_and_not_for_ever(
    session: Session, enrolment: Enrolment, settings: Settings
) -> None:
    new = rotate_credential(session, settings, device(session), NOW)
    assert find(session, new.token).right == "all"
    assert find(session, enrolment.token).right == "send"
    assert find(session, enrolment.token, NOW + timedelta(days=GRACE + 1)).right == "none"


def test_expired_token_may_only_send(session: Session, enrolment: Enrolment) -> None:
    session.execute(update(DeviceCredential).values(expires_at=NOW + timedelta(days=1)))
    assert find(session, enrolment.token).right == "all"
    assert find(session, enrolment.token, NOW + timedelta(days=2)).right == "send"


def test_revoked_tablet_may_nothing(session: Session, enrolment: Enrolment) -> None:
    revoke_device(session, device(session), datetime.now(UTC))
    assert find(session, enrolment.token).right == "none"
    assert device(session).state == "revoked"


def test_new_secrets_bring_a_revoked_tablet_back(session: Session, enrolment: Enrolment, settings: Settings) -> None:
    revoke_device(session, device(session), NOW)
    new = rotate_credential(session, settings, device(session), NOW)
    assert find(session, new.token).right == "all"
    assert find(session, enrolment.token).right == "none"
