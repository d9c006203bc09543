"""What is erased on one side is erased on the other: the records that are there, and what was served of entities."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from server.extensions import attachment_store
from server.file_removal import remove_files
from sync.db import Base
from sync.erasure import Keep, erase_submission
from sync.judging import judge
from sync.models import AuditEvent, AwaitedFile, FilePiece, PeerReceipt, Submission
from sync.processing import list_work
from sync.registry import lock_registry
from sync.relaying.overview import list_relays
from sync.relaying.pieces import PIECE
from tests.accounts import add_account, log_in
from tests.journeys.outposts import Officers, Outposts
from tests.journeys.relays import Chain, chain, digest, receive_photo
from tests.journeys.test_relay_words import erase
from tests.server.test_file_removal import disk, let_days_pass
from tests.server.web.conftest import french_words

__all__ = ["french_words"]
HERE, THERE = "Awa-Ndiaye", "sous-clef"


@pytest.fixture
def posts(tmp_path: Path, sqlite_template: Path) -> Iterator[Chain]:
    with chain(tmp_path, sqlite_template) as posts:
        posts.sync()
        yield posts


@pytest.fixture
def told(posts: Chain) -> tuple[Officers, Officers]:
    """A stay that was opened at the post, and of which a tablet of its site told the centre itself."""
    a, b = posts.relay.tablet("KLK"), posts.centre.tablet("KLK")
    stay = a.open_stay(HERE, lit="1")
    posts.relay.meet(a)
    posts.settle()
    posts.centre.meet(b)
    b.follow(stay, ref=THERE)
    posts.centre.meet(b)
    posts.settle()
    assert all(holds(place, text) for place in (posts.centre, posts.relay) for text in (HERE, THERE))
    return a, b


@pytest.mark.slow
def test_an_erasure_at_the_centre_reaches_the_post_once_whatever_breaks(
    posts: Chain, told: tuple[Officers, Officers]
) -> None:
    erase_both(posts, told)
    assert due(posts) == 2
    for page in read_pages(posts):
        assert "Ce qui a été effacé ici reste à effacer là-bas, depuis le" in page
    rounds = 0
    while "problem" in posts.sync(1500 + 700 * rounds):
        rounds += 1
    assert rounds > 1
    posts.line.left = None
    posts.settle()
    check(posts)
    # Every receipt is lost, so all of it is told once more.
    with posts.centre.looking() as session:
        session.execute(delete(PeerReceipt))
    posts.settle()
    check(posts)


@pytest.mark.slow
def test_it_travels_on_a_key_as_well(posts: Chain, told: tuple[Officers, Officers], tmp_path: Path) -> None:
    erase_both(posts, told)
    for _ in range(2):
        assert posts.carry(tmp_path / "down", down=True).refused == 0
        posts.relay.settle()
    assert due(posts) == 2
    posts.carry(tmp_path / "up", down=False)
    posts.centre.settle()
    posts.carry(tmp_path / "down", down=True)
    posts.relay.settle()
    check(posts)


@pytest.mark.slow
def test_what_the_post_erases_no_number_of_its_own_tells_any_more(
    posts: Chain, told: tuple[Officers, Officers]
) -> None:
    a, _b = told
    erase(posts.relay, a.tablet.queue.records[0])
    posts.settle()
    assert not holds(posts.centre, HERE)
    assert not holds(posts.relay, HERE)
    assert due(posts) == 0
    assert digest(posts.centre) == digest(posts.relay)


@pytest.mark.slow
def test_an_old_copy_of_the_post_is_told_again(posts: Chain, told: tuple[Officers, Officers], tmp_path: Path) -> None:
    a, _b = told
    with posts.relay.looking() as session:
        session.execute(delete(PeerReceipt))
    posts.export(tmp_path / "before", down=False)
    erase(posts.centre, a.tablet.queue.records[0])
    posts.settle()
    assert due(posts) == 0
    posts.take(posts.centre, tmp_path / "before")
    assert due(posts) == 1
    posts.settle()
    assert due(posts) == 0


@pytest.mark.slow
def test_a_post_of_an_older_version_is_not_told_and_shown_as_owing(
    posts: Chain, told: tuple[Officers, Officers], monkeypatch: pytest.MonkeyPatch
) -> None:
    erase_both(posts, told)
    monkeypatch.setattr("sync.relaying.down._understands", lambda relay: False)
    posts.settle()
    assert due(posts) == 2
    monkeypatch.undo()
    posts.settle()
    check(posts)


@pytest.mark.slow
@pytest.mark.parametrize("side", ["centre", "relay"])
def test_a_photograph_leaves_the_disks_of_both_sides(posts: Chain, side: str) -> None:
    for name in ("a", "b"):
        receive_photo(posts, name, name.encode())
    posts.settle()
    assert [photos(place) for place in (posts.centre, posts.relay)] == [{b"a", b"b"}] * 2
    erase_photo(getattr(posts, side), "a")
    posts.settle()
    assert [photos(place) for place in (posts.centre, posts.relay)] == [{b"b"}] * 2


@pytest.mark.slow
def test_of_a_photograph_that_is_on_its_way_nothing_is_left_either(posts: Chain) -> None:
    """Its record is erased at the centre while its pieces come; the post is not told of it at once."""
    receive_photo(posts, "a", bytes(9 * PIECE))
    posts.sync(PIECE * 4)
    posts.line.left = None
    with posts.centre.looking() as session:
        assert session.scalars(select(FilePiece)).all() != []
    erase_photo(posts.centre, "a")
    with posts.centre.looking() as session:
        assert session.scalars(select(FilePiece)).all() == []
    posts.settle()
    assert [photos(place) for place in (posts.centre, posts.relay)] == [set(), set()]
    with posts.centre.looking() as session:
        assert session.scalars(select(FilePiece)).all() == session.scalars(select(AwaitedFile)).all() == []


def erase_photo(place: Outposts, name: str) -> None:
    with place.looking() as session:
        lock_registry(session)
        row = session.scalars(select(Submission).where(Submission.instance_id == f"uuid:{name}")).one()
        [work] = list_work(session, attachment_store(), [row.id])
        given = {"actor_id": None, "now": datetime.now(UTC), "reason": "durée de conservation"}
        erase_submission(session, row, judge(work), Keep(), **given)
    place.settle()


def photos(place: Outposts) -> set[bytes]:
    """All that is on the disk there a day after the last photograph came."""
    with place.app.app_context():
        let_days_pass()
        remove_files(datetime.now(UTC))
        return {path.read_bytes() for path in disk().values()}


def read_pages(posts: Chain) -> list[str]:
    """What an administrator at the centre reads of relays."""
    posts.centre.app.config["WTF_CSRF_ENABLED"] = False
    with posts.centre.looking() as session:
        client = log_in(posts.centre.app.test_client(), add_account(session))
        return [client.get(page).text for page in ("/", "/relays/")]


def erase_both(posts: Chain, told: tuple[Officers, Officers]) -> None:
    a, b = told
    erase(posts.centre, a.tablet.queue.records[0])
    erase(posts.centre, b.tablet.queue.records[0])
    assert not holds(posts.centre, HERE)
    assert not holds(posts.centre, THERE)


def check(posts: Chain) -> None:
    """Nothing of it is left at the post, each was erased there once, and a rebuild brings nothing back."""
    assert due(posts) == 0
    before = digest(posts.relay)
    assert digest(posts.centre) == before
    posts.relay.rebuild()
    assert digest(posts.relay) == before
    assert not holds(posts.relay, HERE)
    assert not holds(posts.relay, THERE)
    with posts.relay.looking() as session:
        acts = session.scalars(select(AuditEvent.action).where(AuditEvent.action.like("%.erased"))).all()
        assert sorted(acts) == ["entity.erased", "submission.erased"]


def due(posts: Chain) -> int:
    """How many erasures the centre knows the post to owe."""
    with posts.centre.looking() as session:
        [relay] = list_relays(session, None)
        return relay.unerased.count if relay.unerased else 0


def holds(place: Outposts, text: str) -> bool:
    """Whether this text stands anywhere in the database."""
    with place.looking() as session:
        tables = Base.metadata.sorted_tables
        return any(text in str(row) for table in tables for row in session.execute(select(table)))
