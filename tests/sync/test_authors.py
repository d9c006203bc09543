"""People of other servers are known by name, and once."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.authors import find_author, is_same_author
from sync.models import Actor
from tests.sync.factory import NOW


def test_a_name_is_made_once(session: Session) -> None:
    assert find_author(session, "Awa", NOW) is find_author(session, "Awa", NOW)
    assert [(one.kind, one.display_name) for one in session.scalars(select(Actor))] == [("user", "Awa")]


def test_whoever_has_the_name_here_is_meant(session: Session) -> None:
    awa, tablet = (Actor(kind=kind, display_name="Awa", created_at=NOW) for kind in ("user", "device"))
    session.add_all([tablet, awa])
    assert find_author(session, "Awa", NOW) is awa


def test_two_of_one_name_and_kind_are_one_person() -> None:
    awa, again, other = (Actor(kind="user", display_name=name) for name in ("Awa", "Awa", "Binta"))
    assert (is_same_author(awa, again), is_same_author(awa, other)) == (True, False)
    assert (is_same_author(None, None), is_same_author(awa, None)) == (False, False)
