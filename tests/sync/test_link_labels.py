"""What people said of pairs, and of how many other pairs it tells."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from sync.link_checks import add_check
from sync.link_decisions import Word, decide_apart, decide_same, decide_unsure, undo_link_decision, unlink_record
from sync.link_labels import read_decided, read_labels
from sync.linkage.calibration import Label
from sync.linkage.decision import Verdict
from sync.models import Actor, PersonRecord
from sync.policy import Viewer
from tests.sync.factory import NOW
from tests.sync.people import AWA, add_record
from tests.sync.test_link_checks import SAMPLED, link

FIRST = "ZZZZZ-ZZZZZ-00"
LATER = NOW + timedelta(minutes=1)
DRAWN = 32 / 3


@pytest.fixture(autouse=True)
def actors(session: Session) -> None:
    session.add_all(Actor(kind="user", display_name=name, created_at=NOW) for name in ("Awa", "Binta"))
    session.flush()


def check(session: Session, later: PersonRecord, first: PersonRecord, *answers: str) -> None:
    for actor, answer in enumerate(answers, 1):
        add_check(session, later, first, answer, actor, NOW)


@pytest.mark.both_databases
def test_a_question_speaks_for_itself_and_its_later_answer_holds(session: Session) -> None:
    one, other = (add_record(session, **AWA, reference=name).reference for name in ("40000-00000-00", FIRST))
    decide_apart(session, one, other, Word(None, NOW))
    decide_same(session, other, one, Word(None, LATER))
    assert read_labels(session) == [Label(one, other, same=True, stands_for=1.0)]
    assert read_decided(session) == [Verdict(one, other, same=True)]


def test_what_holds_no_more_and_who_could_not_tell_are_no_labels(session: Session) -> None:
    one, other = (add_record(session, **AWA, reference=name).reference for name in ("40000-00000-00", FIRST))
    undo_link_decision(session, decide_apart(session, one, other, Word(None, NOW)), None, LATER)
    decide_unsure(session, one, other, Word(None, LATER))
    decide_apart(session, one, other, Word(None, LATER, "deux cousines", needs_second=True))
    assert read_labels(session) == []


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("answers", "found"),
    [(("same",), []), (("same", "unsure"), []), (("same", "same"), [True])],
    ids=["one pair of eyes", "one could not tell", "both"],
)
def test_a_link_that_two_found_right_is_a_label_for_all_it_was_drawn_from(
    session: Session, answers: tuple[str, ...], found: list[bool]
) -> None:
    later, first = link(session, SAMPLED)
    check(session, later, first, *answers)
    ends = sorted((later.reference, first.reference))
    assert read_labels(session) == [Label(*ends, same, DRAWN) for same in found]
    assert read_decided(session) == []


def test_a_link_that_was_found_wrong_speaks_for_as_many(session: Session) -> None:
    later, first = link(session, SAMPLED)
    check(session, later, first, "same", "apart")
    decide_apart(session, later.reference, first.reference, Word(2, NOW))
    assert [(one.same, one.stands_for) for one in read_labels(session)] == [(False, DRAWN)]


def test_a_link_that_somebody_complained_of_speaks_for_none(session: Session) -> None:
    later, first = link(session, "40000-00000-00")
    unlink_record(session, Viewer(1, "data_steward"), later.reference, [first.reference], Word(1, NOW))
    assert [(one.same, one.stands_for) for one in read_labels(session)] == [(False, 0.0)]
