"""A post without any link: a USB key goes to and fro, late, twice, and in the wrong order."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from sync.models import Entity, OwedReceipt, Submission
from sync.relaying.bundles import BundleRefused
from tests.journeys.relays import Chain, chain, digest


@pytest.fixture
def posts(tmp_path: Path, sqlite_template: Path) -> Iterator[Chain]:
    with chain(tmp_path, sqlite_template) as posts:
        posts.line.left = 0
        posts.carry(tmp_path / "first", down=True)
        yield posts


def count(posts: Chain) -> int:
    with posts.centre.looking() as session:
        return session.scalar(select(func.count()).select_from(Submission)) or 0


@pytest.mark.slow
def test_a_key_carries_everything_both_ways(posts: Chain, tmp_path: Path) -> None:
    a = posts.relay.tablet("KLK")
    stay = a.open_stay("KLK-1", lit="1")
    a.follow(stay, lit="2")
    posts.relay.meet(a)
    posts.carry(tmp_path / "up", down=False)
    posts.centre.settle()
    assert (count(posts), digest(posts.centre)) == (2, digest(posts.relay))
    b = posts.centre.tablet("KLK")
    b.follow(stay, urgence="3")
    posts.centre.meet(b)
    posts.carry(tmp_path / "down", down=True)
    a.refresh()
    assert a.sees(stay, "lit", "urgence") == ("2", "3")
    # The receipts came with it, so nothing of the first goes once more.
    posts.carry(tmp_path / "again", down=False)
    assert (tmp_path / "again").stat().st_size < (tmp_path / "up").stat().st_size
    posts.carry(tmp_path / "last", down=True)
    for place in (posts.centre, posts.relay):
        with place.looking() as session:
            assert len(session.scalars(select(OwedReceipt)).all()) < 5


def test_a_name_may_hold_any_sign(posts: Chain, tmp_path: Path) -> None:
    """Pasted text brings along signs that end a line elsewhere (U+2028, U+2029, U+0085)."""
    a = posts.relay.tablet("KLK")
    stay = a.open_stay("KLK\u20281\u20292\x853", lit="1")
    posts.relay.meet(a)
    posts.carry(tmp_path / "up", down=False)
    posts.centre.settle()
    assert posts.centre.entity(stay).label == "KLK\u20281\u20292\x853"


def test_a_bundle_twice_and_an_older_one_later_change_nothing(posts: Chain, tmp_path: Path) -> None:
    a = posts.relay.tablet("KLK")
    stay = a.open_stay("KLK-1", lit="1")
    posts.relay.meet(a)
    posts.carry(tmp_path / "up", down=False)
    posts.centre.settle()
    posts.carry(tmp_path / "down", down=True)
    b = posts.centre.tablet("KLK")
    b.follow(stay, lit="9")
    posts.centre.meet(b)
    posts.carry(tmp_path / "later", down=True)
    before = digest(posts.centre), digest(posts.relay)
    posts.take(posts.centre, tmp_path / "up")
    posts.centre.settle()
    posts.take(posts.relay, tmp_path / "down")
    posts.take(posts.relay, tmp_path / "later")
    posts.take(posts.relay, tmp_path / "first")
    assert (digest(posts.centre), digest(posts.relay)) == before
    with posts.relay.looking() as session:
        assert session.scalars(select(Entity)).one().properties["lit"] == "9"


def test_of_a_damaged_bundle_nothing_is_taken(posts: Chain, tmp_path: Path) -> None:
    a = posts.relay.tablet("KLK")
    a.open_stay("KLK-1", lit="1")
    posts.relay.meet(a)
    bundle = tmp_path / "up"
    posts.carry(bundle, down=False)
    a.open_stay("KLK-2", lit="2")
    posts.relay.meet(a)
    with pytest.raises(BundleRefused, match="another server"):
        posts.take(posts.relay, bundle)
    content = bytearray(bundle.read_bytes())
    content[-20] ^= 1
    bundle.write_bytes(content)
    before = count(posts), digest(posts.centre)
    with pytest.raises(BundleRefused, match="damaged"):
        posts.take(posts.centre, bundle)
    assert (count(posts), digest(posts.centre)) == before
