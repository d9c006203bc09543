"""What makes a server a relay, and what it says of itself. What it forwards is told in tests/journeys/test_relay.py."""

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from server.config import ConfigError, Settings
from server.relay import forward, is_due, note_number, open_link, read_upstream
from sync.models import Entity, IssuedVersion
from tests.sync.factory import NOW, add_submission

UPSTREAM = {"upstream_url": "http://127.0.0.1:9", "upstream_user": "klk@relay.invalid", "upstream_password": "x"}


@pytest.fixture
def relay(app: Flask, settings: Settings) -> Settings:
    relay = replace(settings, upstream_number=7, **UPSTREAM)
    note_number(relay)
    return relay


def test_a_relay_keeps_its_number(relay: Settings, session: Session) -> None:
    note_number(relay)
    upstream = read_upstream(session)
    assert upstream is not None
    assert upstream.number == 7
    with pytest.raises(ConfigError, match="was 7"):
        note_number(replace(relay, upstream_number=8))


@pytest.mark.parametrize("number", [-1, 1000])
def test_a_number_that_nobody_can_have_is_refused(app: Flask, settings: Settings, number: int) -> None:
    with pytest.raises(ConfigError, match="from 1 to 999"):
        note_number(replace(settings, upstream_number=number))


def test_a_server_that_served_lists_on_its_own_becomes_no_relay(
    app: Flask, settings: Settings, session: Session
) -> None:
    entity = Entity(list_name="dossiers", uuid="x", properties={})
    session.add(entity)
    session.flush()
    served = {"number": 1, "added": [], "removed": [], "label": "", "properties": {}, "issued_at": NOW}
    session.add(IssuedVersion(entity_id=entity.id, **served))
    session.commit()
    with pytest.raises(ConfigError, match="new server"):
        note_number(replace(settings, upstream_number=7))


def test_a_server_on_its_own_is_no_relay(app: Flask, settings: Settings, session: Session) -> None:
    note_number(settings)
    assert read_upstream(session) is None
    assert not is_due(settings, NOW)


def test_a_link_needs_an_address_and_an_account(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="TERAL_UPSTREAM_URL"):
        open_link(replace(settings, upstream_number=7))


@pytest.mark.parametrize("url", ["http://teral.example.sn", "teral.example.sn", "https://klk:secret@teral.example.sn"])
def test_no_password_goes_over_open_networks_or_stands_in_an_address(settings: Settings, url: str) -> None:
    with pytest.raises(ConfigError, match="TERAL_UPSTREAM_URL") as refused:
        open_link(replace(settings, **{**UPSTREAM, "upstream_url": url}))
    assert "secret" not in str(refused.value)


def test_without_a_link_records_wait_and_the_next_try_comes_in_its_time(relay: Settings, session: Session) -> None:
    add_submission(session, "uuid:1")
    session.commit()
    assert is_due(relay, NOW)
    link = open_link(relay)
    link.client._session.patience = replace(link.client._session.patience, tries=0)
    done = forward(link)
    assert (done["problem"], done["waiting"], done["sent"]) == ("peer_unreachable", 1, 0)
    upstream = read_upstream(session)
    assert upstream is not None
    assert (upstream.problem, upstream.waiting, upstream.oldest_at) == ("peer_unreachable", 1, NOW)
    assert not is_due(relay, upstream.tried_at or NOW)
