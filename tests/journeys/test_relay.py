"""Tablets → relay → centre: what a post without a link gathered arrives whole, and what it needs comes down."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import func, select

from sync.devices import change_device_state, find_device
from sync.models import Entity, FilePiece, Relay, RelayedRecord, Submission, SubmissionAttachment
from sync.relaying.overview import list_relays
from tests.journeys.relays import Chain, chain, digest


@pytest.fixture(scope="module")
def posts(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Chain]:
    with chain(tmp_path_factory.mktemp("chain"), sqlite_template) as posts:
        assert "problem" not in posts.sync()
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
        assert session.scalars(select(Relay)).one().told["waiting"] == 0


def test_both_servers_change_one_stay_and_agree(posts: Chain) -> None:
    a = posts.relay.tablet("KLK")
    stay = a.open_stay("KLK-2", lit="1")
    posts.relay.meet(a)
    posts.settle()
    b = posts.centre.tablet("KLK")
    a.follow(stay, lit="7")
    b.follow(stay, urgence="2")
    posts.relay.meet(a)
    posts.centre.meet(b)
    posts.settle()
    for one in (a, b):
        one.refresh()
        assert one.sees(stay, "lit", "urgence") == ("7", "2")
    a.follow(stay, urgence="1")
    posts.relay.meet(a)
    posts.settle()
    # Whoever lowered it had seen the 2: nobody needs to be asked.
    entity = posts.centre.entity(stay)
    assert (entity.properties["urgence"], entity.open_conflicts) == ("1", 0)
    assert posts.centre.waits(stay) == posts.relay.waits(stay) == []


def test_a_relay_holds_only_what_its_own_tablets_need(posts: Chain) -> None:
    b = posts.centre.tablet("DKR")
    elsewhere = b.open_stay("DKR-1", lit="1")
    moving = b.open_stay("DKR-2", lit="2")
    posts.centre.meet(b)
    posts.sync()
    assert {elsewhere, moving} & known(posts) == set()
    b.follow(moving, site="KLK")
    posts.centre.meet(b)
    posts.sync()
    assert {elsewhere, moving} & known(posts) == {moving}
    a = posts.relay.tablet("KLK")
    assert a.sees(moving, "lit") == ("2",)
    a.follow(moving, site="DKR")
    posts.relay.meet(a)
    posts.settle()
    assert moving not in a.refresh().rows()
    with posts.relay.looking() as session:
        kept = session.scalars(select(Entity).where(Entity.uuid == moving)).one()
        assert (kept.exists, kept.label, kept.properties) == (False, "", {})
        assert {str(one.properties) + one.label for one in kept.issued} == {"{}"}


def known(posts: Chain) -> set[str]:
    with posts.relay.looking() as session:
        return set(session.scalars(select(Entity.uuid)))


def test_a_tablet_that_is_revoked_at_the_centre_is_shut_out_at_the_post(posts: Chain) -> None:
    name = posts.relay.tablet("KLK").tablet.officer.username
    posts.sync()
    with posts.centre.looking() as session:
        device = find_device(session, name)
        assert device is not None
        assert device.site.code == "KLK"
        change_device_state(session, device, "revoked", datetime.now(UTC))
        assert device.id in list_relays(session, None)[0].device_ids
    posts.sync()
    with posts.relay.looking() as session:
        found = find_device(session, name)
        assert found is not None
        assert found.state == "revoked"


def test_a_line_that_breaks_at_any_byte_loses_and_doubles_nothing(posts: Chain) -> None:
    a = posts.relay.tablet("KLK")
    for number in range(3):
        a.open_stay(f"KLK-9{number}", lit="1")
    a.sync()
    rng, before = Random(9), posts.line.cuts
    for _ in range(4):
        posts.line.left = rng.randint(500, 12_000)
        posts.sync()
    posts.line.left = None
    posts.settle()
    assert posts.line.cuts > before
    with posts.centre.looking() as there, posts.relay.looking() as here:
        sent = select(Submission.instance_id).order_by(Submission.instance_id)
        told = set(here.scalars(sent))
        assert [one for one in there.scalars(sent) if one in told] == sorted(told)
        assert there.scalar(select(func.count()).select_from(FilePiece)) == 0
        lacking = SubmissionAttachment.blob_sha256.is_(None)
        assert there.scalars(select(SubmissionAttachment).where(lacking)).all() == []
