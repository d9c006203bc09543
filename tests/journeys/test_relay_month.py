"""A month at a post whose link comes for ten minutes a day, and breaks: what the centre knows then is what a server
knows that got the same submissions directly.
"""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import func, select

from sync.journal import read_journal, receive_journal
from sync.models import Device, Entity, EntityContribution, EntityGround, RelayedRecord, Submission
from tests.journeys.outposts import MONDAY, Officers, Outposts, outposts
from tests.journeys.relays import Chain, chain, digest

# Ten minutes at the worst of lines: what goes over it is counted in bytes.
TEN_MINUTES = 24_000
LITS = ("1", "2", "3", "4")


@pytest.fixture
def posts(tmp_path: Path, sqlite_template: Path) -> Iterator[Chain]:
    with chain(tmp_path, sqlite_template) as posts:
        posts.settle()
        yield posts


@pytest.fixture
def direct(tmp_path: Path, sqlite_template: Path) -> Iterator[Outposts]:
    folder = tmp_path / "direct"
    folder.mkdir()
    shutil.copy(sqlite_template, folder / "teral.db")
    with outposts(folder, "") as direct:
        direct.site(code="KLK"), direct.site(code="DKR")
        yield direct


@pytest.mark.parametrize("days", [2, pytest.param(30, marks=pytest.mark.slow)])
def test_a_month_behind_a_bad_link_is_as_if_there_were_none(posts: Chain, direct: Outposts, days: int) -> None:
    rng = Random(days)
    behind = [posts.relay.tablet("KLK") for _ in range(2 if days > 2 else 1)]
    beside = posts.centre.tablet("DKR")
    for day in range(days):
        with posts.relay.at(MONDAY + timedelta(days=day)):
            live_a_day([(posts.relay, behind), (posts.centre, [beside])], day, rng)
        use_link(posts, rng)
    posts.line.left = None
    posts.settle()
    assert posts.line.cuts >= days
    check_all_came_once(posts)
    check_holds_its_own(posts)
    send_directly(posts, direct, [*behind, beside], rng)
    assert digest(direct) == digest(posts.centre)


def live_a_day(shifts: list[tuple[Outposts, list[Officers]]], day: int, rng: Random) -> None:
    """Each tablet opens a stay and follows some of those that it has; in the evening all ring their own server."""
    for place, officers in shifts:
        for one in officers:
            one.now = MONDAY + timedelta(days=day, hours=rng.randint(0, 4))
            one.open_stay(f"{one.tablet.officer.site}-{day}", lit=rng.choice(LITS))
            for stay in sorted(one.rows())[:3]:
                one.follow(stay, **rng.choice([{"lit": rng.choice(LITS)}, {"urgence": str(rng.randint(0, 3))}]))
        stay = rng.choice(sorted(officers[0].rows()))
        if rng.random() < 0.3:
            # Somebody is taken to the other site, and goes on there.
            officers[0].follow(stay, site="DKR" if officers[0].tablet.officer.site == "KLK" else "KLK")
        place.meet(*officers)


def use_link(posts: Chain, rng: Random) -> None:
    """The link comes, loses what is on it at a random byte, comes again, and is gone in the middle of a byte stream."""
    left = rng.randint(TEN_MINUTES // 8, TEN_MINUTES)
    for _ in range(5):
        posts.line.left = rng.randint(1, left)
        left -= posts.line.left
        if "problem" not in posts.sync() or left <= 0:
            break
    posts.centre.settle()


def check_all_came_once(posts: Chain) -> None:
    names = select(Submission.form_id, Submission.instance_id).order_by(Submission.instance_id)
    with posts.relay.looking() as here:
        told = here.execute(names).all()
    with posts.centre.looking() as there:
        come = there.execute(names).all()
        assert [one for one in come if one in set(told)] == told
        assert len(told) < len(come) == len(set(come))
        relayed = select(func.count()).select_from(RelayedRecord)
        assert there.scalar(relayed) == len(told)
        assert there.scalar(relayed.where(RelayedRecord.submission_id.is_(None))) == 0


def check_holds_its_own(posts: Chain) -> None:
    """The post has the records of its own tablets, and says something only of stays that they wrote of or are given."""
    with posts.centre.looking() as there:
        given = there.scalars(select(Entity.uuid).where(Entity.site_code == "KLK", Entity.is_open)).all()
    with posts.relay.looking() as here:
        written = here.scalars(select(Entity.uuid).join(EntityContribution)).all()
        grounds = here.execute(select(Entity.uuid, EntityGround).join(EntityGround)).all()
        assert {uuid for uuid, ground in grounds if ground.label or ground.properties} <= set(given)
        assert set(here.scalars(select(Entity.uuid).where(Entity.label != ""))) <= {*given, *written}
        assert {one.site.code for one in here.scalars(select(Device))} == {"KLK"}
        assert here.scalar(select(func.count()).where(Submission.device_id.is_(None))) == 0


def send_directly(posts: Chain, direct: Outposts, officers: list[Officers], rng: Random) -> None:
    """The same records at a server without relays, in any order; it has the centre's journal, as every fresh one."""
    with posts.centre.looking() as there:
        journal = list(read_journal(there))
    with direct.looking() as session:
        receive_journal(session, journal, MONDAY)
    sent = [(one, record) for one in officers for record in one.tablet.queue.records]
    rng.shuffle(sent)
    stand_ins = {id(one): direct.tablet(one.tablet.officer.site).tablet for one in officers}
    for one, record in sent:
        stand_ins[id(one)].deliver(record)
        assert record.status == 201
    direct.settle()
