"""A record with its edits counts once, under its first name."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from sync.heads import find_chain, make_heads, select_heads
from sync.models import Submission
from sync.policy import Viewer

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
VIEWER = Viewer(1, "exchange")


def add(session: Session, name: str, deprecated: str | None = None, **given: object) -> Submission:
    at = NOW + timedelta(minutes=len(session.query(Submission).all()))
    row = Submission(
        form_id="f", version="1", instance_id=name, deprecated_id=deprecated, xml=b"<x/>",
        xml_sha256=f"{name}{given}", received_at=at, **given,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


@pytest.mark.both_databases
def test_a_chain_of_edits_is_one_record(session: Session) -> None:
    for name, before in (("a", None), ("x", None), ("b", "a"), ("c", "b")):
        add(session, name, before)
    heads = make_heads(session, session.scalars(select_heads(VIEWER, "f")).all())
    assert [(one.instance_id, one.row.instance_id, one.edits) for one in heads] == [("a", "c", 2), ("x", "x", 0)]
    assert heads[0].created_at == NOW
    for name in "abc":
        assert [one.instance_id for one in find_chain(session, VIEWER, "f", name)] == ["a", "b", "c"]


@pytest.mark.both_databases
def test_tests_twins_and_edits_that_came_early_each_have_their_place(session: Session) -> None:
    first = add(session, "a")
    add(session, "a", twin_of_id=first.id)
    add(session, "t", is_draft=True)
    add(session, "late", "not here yet")
    heads = make_heads(session, session.scalars(select_heads(VIEWER, "f")).all())
    assert [(one.instance_id, one.edits) for one in heads] == [("late", 0), ("a", 0)]


@pytest.mark.both_databases
def test_a_test_of_a_draft_that_is_edited_is_one_test(session: Session) -> None:
    add(session, "t", is_draft=True)
    add(session, "u", "t", is_draft=True)
    (head,) = make_heads(session, session.scalars(select_heads(VIEWER, "f", draft=True)).all())
    assert (head.instance_id, head.row.instance_id, head.edits, head.created_at) == ("t", "u", 1, NOW)
    assert [one.instance_id for one in find_chain(session, VIEWER, "f", "u", draft=True)] == ["t", "u"]


@pytest.mark.both_databases
def test_a_test_edits_no_record_and_a_record_no_test(session: Session) -> None:
    for name, before, is_draft in (("a", None, False), ("t", "a", True), ("d", None, True), ("r", "d", False)):
        add(session, name, before, is_draft=is_draft)
    for draft, names in ((False, ["r", "a"]), (True, ["d", "t"])):
        heads = make_heads(session, session.scalars(select_heads(VIEWER, "f", draft=draft)).all())
        assert [(one.instance_id, one.edits) for one in heads] == [(name, 0) for name in names]


def test_a_circle_of_edits_ends(session: Session) -> None:
    add(session, "a", "b")
    add(session, "b", "a")
    assert find_chain(session, VIEWER, "f", "a")
    assert session.scalars(select_heads(VIEWER, "f")).all() == []
