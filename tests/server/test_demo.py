from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from server.accounts.models import User
from server.accounts.users import find_user, verify_password
from server.config import ConfigError, Settings
from server.demo import add_demo, is_demo
from sync.models import Device, Setting, Site
from sync.policy import ROLES, SITE_ROLES
from tests.sync.factory import add_site

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
NOTHING: dict[str, Any] = {"users": [], "tablets": []}


@pytest.fixture
def demo(session: Session, settings: Settings) -> dict[str, Any]:
    return add_demo(session, settings, NOTHING, NOW)


def test_there_is_one_login_for_every_role(demo: dict[str, Any], session: Session) -> None:
    # A relay's account is made with the relay: nobody logs in with it.
    assert {one["role"] for one in demo["users"]} == set(ROLES) - {"relay"}
    assert all(one.get("site") for one in demo["users"] if one["role"] in SITE_ROLES)
    assert all(verify_password(find_user(session, one["email"]), one["password"]) for one in demo["users"])
    assert all(one["email"].endswith("@demo.teral.example") for one in demo["users"])


def test_tablets_stand_at_several_sites(demo: dict[str, Any]) -> None:
    assert len({one["site"] for one in demo["tablets"]}) > 5
    assert all(one["token"] in one["server_url"] for one in demo["tablets"])


def test_database_is_marked(session: Session, settings: Settings) -> None:
    assert not is_demo(session)
    add_demo(session, settings, NOTHING, NOW)
    assert is_demo(session)


def test_second_time_changes_nothing(demo: dict[str, Any], session: Session, settings: Settings) -> None:
    counts = [session.query(table).count() for table in (User, Device, Site, Setting)]
    assert add_demo(session, settings, demo, NOW) == demo
    assert [session.query(table).count() for table in (User, Device, Site, Setting)] == counts


def test_another_address_changes_the_qr_and_not_the_secret(
    demo: dict[str, Any], session: Session, settings: Settings
) -> None:
    moved = add_demo(session, replace(settings, public_url="http://192.0.2.10:8383"), demo, NOW)
    assert moved["tablets"][0]["token"] == demo["tablets"][0]["token"]
    assert moved["tablets"][0]["settings"]["general"]["server_url"].startswith("http://192.0.2.10:8383/v1/key/")


def test_lost_file_gives_everybody_new_secrets(demo: dict[str, Any], session: Session, settings: Settings) -> None:
    again = add_demo(session, settings, NOTHING, NOW)
    user = find_user(session, again["users"][0]["email"])
    assert again["tablets"][0]["token"] != demo["tablets"][0]["token"]
    assert verify_password(user, again["users"][0]["password"])
    assert user is not None
    assert not user.must_change_password


def test_real_data_keep_invented_people_out(session: Session, settings: Settings) -> None:
    from server.accounts.credentials import enrol_device

    enrol_device(session, settings, add_site(session), "REAL-1", NOW)
    with pytest.raises(ConfigError, match="real"):
        add_demo(session, settings, NOTHING, NOW)
