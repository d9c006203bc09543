"""Forms on their way to a post: they come last, one by one, and what one of them meets stops nothing else."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from sync.devices import change_device_state, find_device
from sync.publishing import find_form_version, publish_form
from tests.journeys.outposts import MONDAY
from tests.journeys.relays import Chain, chain, publish, read_villages
from tests.sync.factory import form_file


@pytest.fixture(scope="module")
def posts(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Chain]:
    with chain(tmp_path_factory.mktemp("forms"), sqlite_template) as posts:
        assert "problem" not in posts.sync()
        yield posts


def test_a_form_that_cannot_be_fetched_stops_nothing_else(posts: Chain) -> None:
    lost = publish(posts.centre, "lost", b"name,label\n1,Rosso\n")
    content = lost.read_bytes()
    lost.unlink()
    publish(posts.centre, "whole", b"name,label\n2,Kidira\n")
    a = posts.relay.tablet("KLK")
    a.open_stay("KLK-1", lit="1")
    posts.relay.meet(a)
    done = posts.sync()
    assert (done["sent"], done["waiting"], done["problem"]) == (1, 0, "peer_refused")
    assert read_villages(posts.relay, "lost") is None
    assert read_villages(posts.relay, "whole") == b"name,label\n2,Kidira\n"
    revoke(posts, a.tablet.officer.username)
    assert posts.sync()["problem"] == "peer_refused"
    with posts.relay.looking() as session:
        device = find_device(session, a.tablet.officer.username)
        assert device is not None
        assert device.state == "revoked"
    lost.write_bytes(content)
    assert "problem" not in posts.sync()
    assert read_villages(posts.relay, "lost") == content


def test_a_file_that_is_given_later_comes_to_the_post(posts: Chain) -> None:
    with posts.centre.looking() as session:
        publish_form(session, form_file(form_id="later"), {}, None, MONDAY)
    posts.sync()
    assert read_villages(posts.relay, "later") == b""
    publish(posts.centre, "later", b"name,label\n3,Dagana\n")
    assert "problem" not in posts.sync()
    assert read_villages(posts.relay, "later") == b"name,label\n3,Dagana\n"


def test_a_file_that_the_post_has_is_not_fetched_again(posts: Chain) -> None:
    villages = Random(1).randbytes(500_000)
    publish(posts.centre, "first", villages)
    posts.sync()
    publish(posts.centre, "second", villages)
    posts.line.passed = 0
    posts.sync()
    assert read_villages(posts.relay, "second") == villages
    assert posts.line.passed < len(villages) / 5


def test_a_file_or_a_form_that_is_not_the_one_told_of_is_not_taken(posts: Chain) -> None:
    content = b"name,label\n4,Matam\n"
    damaged = publish(posts.centre, "damaged", content)
    damaged.write_bytes(b"name,label\n4,Bakel\n")
    with posts.centre.looking() as session:
        publish_form(session, form_file(form_id="changed"), {}, None, MONDAY)
        changed = find_form_version(session, "changed", "1")
        assert changed is not None
        changed.sha256 = "0" * 64
    assert posts.sync()["problem"] == "peer_confused"
    assert read_villages(posts.relay, "damaged") is read_villages(posts.relay, "changed") is None
    damaged.write_bytes(content)
    posts.sync()
    assert read_villages(posts.relay, "damaged") == content


def revoke(posts: Chain, name: str) -> None:
    with posts.centre.looking() as session:
        device = find_device(session, name)
        assert device is not None
        change_device_state(session, device, "revoked", datetime.now(UTC))
