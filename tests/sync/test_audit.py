"""The journal of who did or looked at what."""

import pytest
from sqlalchemy.orm import Session

from sync.audit import add_audit_event, select_audit_events
from sync.models import Actor
from sync.policy import Viewer
from tests.sync.factory import NOW


@pytest.fixture
def actors(session: Session) -> list[int]:
    rows = [Actor(kind="user", display_name=name, created_at=NOW) for name in ("Awa", "Modou")]
    session.add_all(rows)
    session.flush()
    for row in rows:
        add_audit_event(session, row.id, "person.read", f"person:{row.id}", NOW, purpose="oversight")
    add_audit_event(session, None, "user.added", "user:1", NOW)
    return [row.id for row in rows]


def read(session: Session, viewer: Viewer, action: str | None = None) -> list[str]:
    return [one.target for one in session.scalars(select_audit_events(viewer, action))]


@pytest.mark.both_databases
def test_a_line_keeps_who_what_when_and_codes(session: Session, actors: list[int]) -> None:
    first = session.scalars(select_audit_events(Viewer(0, "auditor"), "person.read")).all()[-1]
    assert (first.actor_id, first.target, first.at) == (actors[0], f"person:{actors[0]}", NOW)
    assert first.details == {"purpose": "oversight"}


def test_an_auditor_reads_all_the_newest_first(session: Session, actors: list[int]) -> None:
    assert read(session, Viewer(0, "auditor")) == ["user:1", f"person:{actors[1]}", f"person:{actors[0]}"]


def test_some_read_their_own_lines_only(session: Session, actors: list[int]) -> None:
    assert read(session, Viewer(actors[0], "data_steward")) == [f"person:{actors[0]}"]


def test_others_read_none(session: Session, actors: list[int]) -> None:
    assert read(session, Viewer(actors[0], "centre_staff")) == []


def test_the_journal_is_narrowed_to_one_act(session: Session, actors: list[int]) -> None:
    assert read(session, Viewer(0, "auditor"), "user.added") == ["user:1"]
