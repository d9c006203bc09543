"""A post without any link: a USB key goes to and fro, late, twice, and in the wrong order."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import func, select

from server.bundles import import_bundle
from server.extensions import attachment_store
from sync.devices import change_device_state
from sync.models import Device, Entity, IssuedVersion, OwedReceipt, RelayedEntity, Submission
from sync.publishing import find_form_version, publish_form
from sync.relaying.bundles import BundleRefused, make_key, public_key, seal_bundle
from tests.journeys.outposts import MONDAY, device_of
from tests.journeys.relays import Chain, chain, digest, receive_photo
from tests.sync.factory import form_file

# What a zip without any file is: the end of its directory alone.
EMPTY_ARCHIVE = b"PK\x05\x06" + bytes(18)


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


def test_what_a_bundle_tells_and_is_refused_stops_nothing_else_and_is_told_again(posts: Chain, tmp_path: Path) -> None:
    a = posts.relay.tablet("KLK")
    stay = a.open_stay("KLK-1", lit="1")
    posts.relay.meet(a)
    number = posts.relay.entity(stay).version
    with posts.centre.looking() as session:
        other = Entity(list_name="dossiers", uuid=stay, properties={})
        session.add(other)
        session.flush()
        said = {"added": ["another"], "removed": [], "label": "", "properties": {}, "issued_at": MONDAY}
        session.add(IssuedVersion(entity_id=other.id, number=number, **said))
    # Another form of that name and version is at the post already.
    for place, title in ((posts.centre, "A"), (posts.relay, "B")):
        with place.looking() as session:
            publish_form(session, form_file(form_id="both", title=title), {}, None, MONDAY)
    with posts.centre.looking() as session:
        publish_form(session, form_file(form_id="after"), {}, None, MONDAY)
    assert posts.carry(tmp_path / "up", down=False).refused == 1
    assert count(posts) == 1
    assert posts.carry(tmp_path / "down", down=True).refused == 1
    with posts.relay.looking() as session:
        assert find_form_version(session, "after", "1") is not None
    again = posts.carry(tmp_path / "again", down=False), posts.carry(tmp_path / "last", down=True)
    assert [one.refused for one in again] == [1, 1]


def test_a_line_that_is_none_stops_nothing_else(posts: Chain, tmp_path: Path) -> None:
    a = posts.relay.tablet("KLK")
    a.open_stay("KLK-1", lit="1")
    posts.relay.meet(a)
    with posts.relay.looking() as session:
        session.scalars(select(Device)).one().collect_version = "x" * 65
    assert posts.carry(tmp_path / "up", down=False).refused == 1
    assert count(posts) == 1


@pytest.mark.parametrize("content", [b"no archive", EMPTY_ARCHIVE], ids=["no archive", "no lines"])
def test_of_a_bundle_that_is_sealed_but_not_in_order_nothing_is_taken(
    posts: Chain, tmp_path: Path, content: bytes
) -> None:
    """Its sender is known and meant us: what is in it is none the less to be looked at."""
    keys = [make_key(), make_key()]
    with (tmp_path / "sealed").open("wb") as sealed:
        seal_bundle(BytesIO(content), sealed, keys[0], public_key(keys[1]))
    (tmp_path / "key").write_text(keys[1])
    settings = replace(posts.relay.settings, bundle_key=str(tmp_path / "key"), upstream_key=public_key(keys[0]))
    with posts.relay.looking(), pytest.raises(BundleRefused, match="damaged or incomplete"):
        import_bundle(settings, tmp_path / "sealed", MONDAY)


def test_a_post_whose_clock_stands_at_another_year_takes_what_it_is_told(posts: Chain, tmp_path: Path) -> None:
    """The battery of its clock died after the first bundle; what the second tells is a revocation."""
    a = posts.relay.tablet("KLK")
    posts.carry(tmp_path / "up", down=False)
    with posts.centre.looking() as session:
        change_device_state(session, device_of(session, a), "revoked", datetime.now(UTC))
    posts.export(tmp_path / "down", down=True)
    assert not posts.take(posts.relay, tmp_path / "down", datetime(2000, 1, 1, tzinfo=UTC)).is_older
    with posts.relay.looking() as session:
        assert device_of(session, a).state == "revoked"
    older = posts.take(posts.relay, tmp_path / "first", datetime(2000, 1, 2, tzinfo=UTC))
    assert (older.is_older, older.refused) == (True, 0)


@pytest.mark.slow
def test_a_file_that_was_lost_stops_no_bundle(posts: Chain, tmp_path: Path) -> None:
    lost, kept = [receive_photo(posts, name, name.encode()) for name in ("lost", "kept")]
    (posts.relay.settings.data_path / "attachments" / lost[:2] / lost[2:]).unlink()
    posts.carry(tmp_path / "up", down=False)
    assert count(posts) == 2
    with posts.centre.looking():
        assert (attachment_store().has(lost), attachment_store().has(kept)) == (False, True)


@pytest.mark.slow
def test_nothing_is_locked_while_a_bundle_is_written(posts: Chain, tmp_path: Path) -> None:
    """A key may take minutes, or be drawn: what was noted for the bundle was committed before."""
    b = posts.centre.tablet("KLK")
    b.open_stay("KLK-1", lit="1")
    posts.centre.meet(b)
    with pytest.raises(FileNotFoundError):
        posts.carry(tmp_path / "drawn" / "down", down=True)
    with posts.centre.looking() as session:
        assert len(session.scalars(select(RelayedEntity)).all()) == 1


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
