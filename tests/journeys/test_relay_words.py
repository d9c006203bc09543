"""What a supervisor at a post says of records there reaches the centre once, over a bad line or on a key."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from server.accounts.models import User
from server.extensions import attachment_store
from server.tablets.queue import Record
from sync.erasure import Keep, erase_submission
from sync.judging import judge
from sync.models import Erasure, PeerReceipt, Submission, SubmissionComment
from sync.processing import list_work
from sync.registry import lock_registry
from sync.reviews import add_comment, change_review_state, find_mark
from sync.sites import find_site
from tests.accounts import add_account
from tests.journeys.outposts import Officers, Outposts
from tests.journeys.relays import Chain, chain, digest


@pytest.fixture
def posts(tmp_path: Path, sqlite_template: Path) -> Iterator[Chain]:
    with chain(tmp_path, sqlite_template) as posts:
        posts.sync()
        yield posts


def test_comments_marks_and_erasures_arrive_once_whatever_breaks(posts: Chain) -> None:
    a = posts.relay.tablet("KLK")
    early = open_stays(posts, a, "KLK-1", "Awa")
    posts.settle()
    [late] = open_stays(posts, a, "Moussa")
    author = say_and_erase(posts, early, late)
    rounds = 0
    while "problem" in posts.sync(2000 + 1500 * rounds):
        rounds += 1
    assert rounds > 2
    posts.line.left = None
    posts.centre.settle(), posts.settle()
    check(posts, early, late, author)
    # Every receipt is lost, so all of it is told once more.
    with posts.relay.looking() as session:
        session.execute(delete(PeerReceipt))
    posts.settle()
    check(posts, early, late, author)


@pytest.mark.slow
def test_they_travel_on_a_key_as_well(posts: Chain, tmp_path: Path) -> None:
    a = posts.relay.tablet("KLK")
    early, [late] = open_stays(posts, a, "KLK-1", "Awa"), open_stays(posts, a, "Moussa")
    author = say_and_erase(posts, early, late)
    for key in ("first", "second"):
        assert posts.carry(tmp_path / key, down=False).refused == 0
        posts.take(posts.centre, tmp_path / key)
        posts.centre.settle()
    posts.carry(tmp_path / "down", down=True)
    check(posts, early, late, author)


def open_stays(posts: Chain, a: Officers, *refs: str) -> list[Record]:
    for ref in refs:
        a.open_stay(ref, lit="1")
    posts.relay.meet(a)
    return list(a.tablet.queue.records[-len(refs) :])


def say_and_erase(posts: Chain, early: list[Record], late: Record) -> str:
    """Words about both, then the second is erased, and one that never left the post; returns whose words they are."""
    author = say(posts, early)
    erase(posts.relay, early[1]), erase(posts.relay, late)
    return author


def say(posts: Chain, records: list[Record]) -> str:
    """Comment on both of these records, and mark the first; returns who did."""
    with posts.relay.looking() as session:
        user: User = add_account(session, "site_supervisor", find_site(session, "KLK"))
        for record in records:
            row = find(session, record)
            add_comment(session, row.id, f"Vu avec {record.instance_id}", user.actor_id, datetime.now(UTC))
        change_review_state(session, find(session, records[0]), "hasIssues", user.actor_id, "", datetime.now(UTC))
        return user.actor.display_name


def find(session: Session, record: Record) -> Submission:
    return session.scalars(select(Submission).where(Submission.instance_id == record.instance_id)).one()


def erase(place: Outposts, record: Record) -> None:
    """Erase all that a record says but for the bed."""
    with place.looking() as session:
        lock_registry(session)
        row = find(session, record)
        [work] = list_work(session, attachment_store(), [row.id])
        given = {"actor_id": None, "now": datetime.now(UTC), "reason": "durée de conservation"}
        erase_submission(session, row, judge(work), Keep(entity=["lit", "site_id"]), **given)
    place.settle()


def check(posts: Chain, early: list[Record], late: Record, author: str) -> None:
    """What the centre knows of it, and that the follow-up lists on both sides are the same in the end."""
    assert digest(posts.centre) == digest(posts.relay)
    with posts.centre.looking() as session:
        kept = find(session, early[0])
        [comment] = session.scalars(select(SubmissionComment)).all()
        assert (comment.submission_id, comment.body) == (kept.id, f"Vu avec {early[0].instance_id}")
        assert comment.actor.display_name == f"{author} (KLK)"
        assert find_mark(session, kept.id) == "hasIssues"
        erased = {find(session, early[1]).id, find(session, late).id}
        assert set(session.scalars(select(Erasure.submission_id))) == erased
        assert len(session.scalars(select(Submission)).all()) == 3
        assert {one.xml for one in session.scalars(select(Submission)) if one.id in erased} == {b""}
