"""What the centre decides about records of a post holds at the post, and both come to rest."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from sync.link_decisions import Word, decide_apart, decide_same, undo_link_decision
from sync.models import Decision, IssuedVersion, LinkDecision, PeerReceipt, PersonRecord, Submission
from sync.publishing import publish_form
from sync.quarantine import accept, reject, replay
from tests.journeys.outposts import Outposts
from tests.journeys.relays import Chain, chain, digest, receive_meeting
from tests.sync import meetings

pytestmark = pytest.mark.slow
Verb = Callable[..., Any]
WHY = "Vu avec le chef de poste"


@pytest.fixture
def posts(tmp_path: Path, sqlite_template: Path) -> Iterator[Chain]:
    with chain(tmp_path, sqlite_template) as posts:
        with posts.centre.looking() as session:
            publish_form(session, meetings.form_file(), {}, None, datetime.now(UTC))
        posts.settle()
        yield posts


def open_stay(posts: Chain) -> tuple[str, str]:
    """A stay, and an update of it in which the bed becomes another one: their names."""
    tablet = posts.relay.tablet("KLK")
    stay = posts.relay.share("KLK-1", tablet)
    record = tablet.follow(stay, lit="9")
    posts.relay.meet(tablet)
    posts.settle()
    return stay, record.instance_id


def find(session: Session, instance_id: str) -> Submission:
    return session.scalars(select(Submission).where(Submission.instance_id == instance_id)).one()


def decide(place: Outposts, verb: Verb, instance_id: str, hours: int = 0) -> None:
    """A supervisor there says something of a record; the clock may be some hours off."""
    with place.looking() as session:
        verb(session, find(session, instance_id), None, WHY, datetime.now(UTC) + timedelta(hours=hours))
    place.settle()


def check(posts: Chain, instance_id: str, state: str) -> None:
    """Both know the same, the record is in this state there, and further contacts say nothing and serve no number."""
    # What the post told last is judged after that contact.
    posts.settle(), posts.settle()
    for place in (posts.centre, posts.relay):
        with place.looking() as session:
            assert find(session, instance_id).state == state
    assert digest(posts.centre) == digest(posts.relay)
    before = count_numbers(posts)
    for _ in range(2):
        assert not any(posts.sync().values())
        posts.relay.settle(), posts.centre.settle()
    assert count_numbers(posts) == before


def count_numbers(posts: Chain) -> list[int | None]:
    return [count(place, IssuedVersion) for place in (posts.centre, posts.relay)]


def count(place: Outposts, model: type[Any]) -> int | None:
    with place.looking() as session:
        return session.scalar(select(func.count()).select_from(model))


def count_persons(posts: Chain) -> list[int | None]:
    return [count(place, PersonRecord) for place in (posts.centre, posts.relay)]


def test_an_update_that_the_centre_rejects_counts_nowhere_until_it_is_judged_anew(posts: Chain) -> None:
    stay, name = open_stay(posts)
    for verb, state, bed in ((reject, "rejected", "1"), (replay, "merged", "9")):
        decide(posts.centre, verb, name)
        check(posts, name, state)
        assert posts.relay.entity(stay).properties["lit"] == bed


def test_a_person_whose_record_the_centre_rejects_is_nobody_at_the_post_until_it_is_judged_anew(posts: Chain) -> None:
    receive_meeting(posts, "uuid:m1", meetings.AWA)
    posts.settle()
    decide(posts.centre, reject, "uuid:m1")
    check(posts, "uuid:m1", "rejected")
    assert count_persons(posts) == [0, 0]
    decide(posts.centre, replay, "uuid:m1")
    check(posts, "uuid:m1", "merged")
    assert count_persons(posts) == [1, 1]


@pytest.mark.parametrize(
    ("first", "then", "state"),
    [("relay", (reject, accept), "merged"), ("centre", (reject, accept), "merged"),
     ("relay", (accept, reject), "rejected"), ("centre", (accept, reject), "rejected")],
)  # fmt: skip
def test_of_two_words_that_crossed_each_other_the_later_one_holds(
    posts: Chain, first: str, then: tuple[Verb, Verb], state: str
) -> None:
    _stay, name = open_stay(posts)
    places = (posts.relay, posts.centre) if first == "relay" else (posts.centre, posts.relay)
    for place, verb in zip(places, then, strict=True):
        decide(place, verb, name)
    check(posts, name, state)


@pytest.mark.parametrize("hours", [-9000, 9000], ids=["post's clock slow", "post's clock fast"])
def test_who_decides_last_has_seen_what_was_said_before_whatever_the_clocks_say(posts: Chain, hours: int) -> None:
    stay, name = open_stay(posts)
    decide(posts.relay, reject, name, hours)
    check(posts, name, "rejected")
    decide(posts.centre, replay, name)
    check(posts, name, "merged")
    decide(posts.relay, reject, name, hours)
    check(posts, name, "rejected")
    assert posts.relay.entity(stay).properties["lit"] == "1"


def test_they_arrive_once_whatever_breaks(posts: Chain) -> None:
    _stay, name = open_stay(posts)
    receive_meeting(posts, "uuid:m1", meetings.AWA)
    posts.settle()
    for one in (name, "uuid:m1"):
        decide(posts.centre, reject, one)
    decide(posts.relay, accept, "uuid:m1", 1)
    rounds = 0
    while "problem" in posts.sync(1500 + 700 * rounds):
        rounds += 1
    assert rounds > 1
    posts.line.left = None
    check(posts, name, "rejected")
    # Every receipt is lost, so all of it is told once more.
    for place in (posts.centre, posts.relay):
        with place.looking() as session:
            session.execute(delete(PeerReceipt))
    check(posts, name, "rejected")
    check(posts, "uuid:m1", "merged")
    assert [count(place, Decision) for place in (posts.centre, posts.relay)] == [3, 3]


def test_they_travel_on_a_key_as_well(posts: Chain, tmp_path: Path) -> None:
    stay, name = open_stay(posts)
    posts.line.left = 0
    decide(posts.centre, reject, name)
    posts.export(tmp_path / "late", down=True)
    decide(posts.centre, replay, name)
    posts.export(tmp_path / "down", down=True)
    for key in ("down", "late", "down"):
        assert posts.take(posts.relay, tmp_path / key).refused == 0
        posts.relay.settle()
    assert posts.relay.entity(stay).properties["lit"] == "9"
    decide(posts.centre, reject, name)
    for way in (True, False, True, False):
        assert posts.carry(tmp_path / f"then-{way}", down=way).refused == 0
        posts.relay.settle(), posts.centre.settle()
    assert posts.relay.entity(stay).properties["lit"] == "1"
    assert digest(posts.centre) == digest(posts.relay)
    assert posts.carry(tmp_path / "last", down=True).lines == 0


def test_a_post_of_an_older_version_is_told_once_it_is_a_newer_one(
    posts: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive_meeting(posts, "uuid:m1", meetings.AWA)
    posts.settle()
    decide(posts.centre, reject, "uuid:m1")
    monkeypatch.setattr("sync.relaying.down._heeds", lambda relay: False)
    posts.settle()
    assert count_persons(posts) == [0, 1]
    monkeypatch.undo()
    check(posts, "uuid:m1", "rejected")


def test_whose_records_are_one_persons_is_decided_for_both(posts: Chain) -> None:
    for number, one in enumerate((meetings.AWA, meetings.AWA_AGAIN, meetings.MODOU)):
        receive_meeting(posts, f"uuid:m{number}", one)
    posts.settle()
    awa, again, modou = (meetings.reference(f"uuid:m{number}") for number in range(3))
    with posts.centre.looking() as session:
        decide_apart(session, awa, again, Word(None, datetime.now(UTC), WHY))
        wrong = decide_same(session, awa, modou, Word(None, datetime.now(UTC), WHY)).uuid
    check(posts, "uuid:m0", "merged")
    assert read_persons(posts.relay) == {frozenset({awa, modou}), frozenset({again})}
    with posts.relay.looking() as session:
        mine = session.scalars(select(LinkDecision).filter_by(uuid=wrong)).one()
        undo_link_decision(session, mine, None, datetime.now(UTC))
    check(posts, "uuid:m0", "merged")
    assert read_persons(posts.centre) == {frozenset({awa}), frozenset({modou}), frozenset({again})}


def read_persons(place: Outposts) -> set[frozenset[str]]:
    with place.looking() as session:
        return meetings.persons(session)
