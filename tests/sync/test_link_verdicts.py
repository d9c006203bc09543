"""What people decided about two records, and what they are asked, as rows."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.db import begin_write
from sync.link_decisions import Word, confirm_decision, decide_apart, decide_same, undo_link_decision
from sync.link_verdicts import Asked, ask, drop_questions, has_verdicts, read_questions, read_verdicts
from sync.models import Actor, LinkQuestion, Person
from tests.sync.factory import NOW
from tests.sync.meetings import BINTA, MODOU, meet, prepare, reference

ONE, TWO = reference("uuid:1"), reference("uuid:2")


@pytest.fixture
def strangers(session: Session) -> None:
    prepare(session)
    meet(session, "uuid:1", MODOU, day=3)
    meet(session, "uuid:2", BINTA, day=2)


def word(minutes: int = 0, *, needs_second: bool = False) -> Word:
    return Word(None, NOW + timedelta(minutes=minutes), "vu avec le poste", needs_second=needs_second)


def holds(session: Session) -> set[tuple[str, str, bool]]:
    """What holds between the two, seen from either."""
    session.flush()
    return {one[:3] for one in read_verdicts(session.connection(), [ONE, TWO])}


@pytest.mark.both_databases
def test_the_later_of_two_decisions_holds_until_it_is_undone(session: Session, strangers: None) -> None:
    begin_write(session)
    assert (has_verdicts(session.connection()), holds(session)) == (False, set())
    decide_same(session, ONE, TWO, word())
    later = decide_apart(session, ONE, TWO, word(5))
    assert has_verdicts(session.connection())
    assert holds(session) == {(ONE, TWO, False), (TWO, ONE, False)}
    undo_link_decision(session, later, None, NOW + timedelta(minutes=6))
    assert holds(session) == {(ONE, TWO, True), (TWO, ONE, True)}


def test_what_needs_a_second_person_holds_when_it_is_confirmed(session: Session, strangers: None) -> None:
    begin_write(session)
    decision = decide_same(session, ONE, TWO, word(needs_second=True))
    assert holds(session) == set()
    second = Actor(kind="user", display_name="B", created_at=NOW)
    session.add(second)
    session.flush()
    confirm_decision(session, decision, second.id, NOW + timedelta(minutes=1))
    assert holds(session) == {(ONE, TWO, True), (TWO, ONE, True)}


@pytest.mark.both_databases
def test_a_question_that_stays_is_open_since_it_was_first_asked(session: Session, strangers: None) -> None:
    one, other = (session.scalars(select(Person.id).filter_by(reference=ref)).one() for ref in (ONE, TWO))
    stays, changed = Asked(one, other, 11, 12, 3.0, "weight"), Asked(one, other, 11, 12, 4.0, "weight")
    connection = session.connection()
    drop_questions(connection, [11, 12])
    ask(connection, [], [stays], NOW)
    ask(connection, read_questions(connection, [12]), [stays], NOW + timedelta(days=1))
    assert session.scalars(select(LinkQuestion.opened_at)).one() == NOW
    ask(connection, read_questions(connection, [11]), [changed], NOW + timedelta(days=2))
    assert read_questions(connection, [11]) == [changed]
    drop_questions(connection, [11])
    assert read_questions(connection, [11, 12]) == []
