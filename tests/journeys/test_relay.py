"""Tablets → relay → centre: what a post without a link gathered arrives whole, and what it needs comes down."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from sync.devices import change_device_state, find_device
from sync.models import Device, Entity, Relay, RelayedRecord, Submission
from tests.journeys.relays import Chain, chain, digest


@pytest.fixture
def posts(tmp_path: Path, sqlite_template: Path) -> Iterator[Chain]:
    with chain(tmp_path, sqlite_template) as posts:
        posts.sync()
        yield posts


def test_a_stay_that_began_at_the_post_goes_on_at_the_centre(posts: Chain) -> None:
    a = posts.relay.tablet("KLK")
    stay = a.open_stay("KLK-1", lit="1")
    a.sleep().follow(stay, lit="2")
    posts.relay.meet(a)
    a.follow(stay, urgence="2")
    posts.relay.meet(a)
    posts.settle()
    assert digest(posts.centre) == digest(posts.relay)
    entity = posts.centre.entity(stay)
    assert (entity.label, entity.properties["lit"], entity.properties["urgence"]) == ("KLK-1", "2", "2")
    with posts.centre.looking() as session:
        rows = session.scalars(select(Submission)).all()
        assert {one.device.name for one in rows if one.device} == {a.tablet.officer.username}
        relayed = session.scalars(select(RelayedRecord)).all()
        assert {one.submission_id for one in relayed} == {one.id for one in rows}
        relay = session.scalars(select(Relay)).one()
        assert relay.told["waiting"] == 0


def test_both_servers_change_one_stay_and_agree(posts: Chain) -> None:
    a = posts.relay.tablet("KLK")
    stay = a.open_stay("KLK-1", lit="1")
    posts.relay.meet(a)
    posts.settle()
    b = posts.centre.tablet("KLK")
    assert stay in b.rows()
    a.follow(stay, lit="7")
    b.follow(stay, urgence="2")
    posts.relay.meet(a)
    posts.centre.meet(b)
    posts.settle()
    for one in (a, b):
        one.refresh()
        assert one.sees(stay, "lit", "urgence") == ("7", "2")
    a.follow(stay, urgence="3")
    posts.relay.meet(a)
    posts.settle()
    assert posts.centre.entity(stay).open_conflicts == 0
    assert posts.centre.entity(stay).properties["urgence"] == "3"
    assert posts.centre.waits(stay) == posts.relay.waits(stay) == []


def test_a_relay_holds_only_what_its_own_tablets_need(posts: Chain) -> None:
    b = posts.centre.tablet("DKR")
    elsewhere = b.open_stay("DKR-1", lit="1")
    moving = b.open_stay("DKR-2", lit="2")
    posts.centre.meet(b)
    posts.sync()
    with posts.relay.looking() as session:
        assert session.scalars(select(Entity)).all() == []
    b.follow(moving, site="KLK")
    posts.centre.meet(b)
    posts.sync()
    with posts.relay.looking() as session:
        assert [one.uuid for one in session.scalars(select(Entity))] == [moving]
    a = posts.relay.tablet("KLK")
    assert a.sees(moving, "lit") == ("2",)
    a.follow(moving, site="DKR")
    posts.relay.meet(a)
    posts.settle()
    a.refresh()
    assert (moving in a.rows(), elsewhere in a.rows()) == (False, False)
    with posts.relay.looking() as session:
        kept = session.scalars(select(Entity)).one()
        assert (kept.exists, kept.label, kept.properties) == (False, "", {})
        assert {str(one.properties) + one.label for one in kept.issued} == {"{}"}


def test_a_tablet_that_is_revoked_at_the_centre_is_shut_out_at_the_post(posts: Chain) -> None:
    a = posts.relay.tablet("KLK")
    posts.sync()
    name = a.tablet.officer.username
    with posts.centre.looking() as session:
        device = session.scalars(select(Device)).one()
        assert (device.name, device.site.code) == (name, "KLK")
        change_device_state(session, device, "revoked", datetime.now(UTC))
    posts.sync()
    with posts.relay.looking() as session:
        found = find_device(session, name)
        assert found is not None
        assert found.state == "revoked"
