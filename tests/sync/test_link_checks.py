"""Two people look at a sample of automatic links; what both found is their precision."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.link_checks import (
    CheckRefused,
    add_check,
    compute_precision,
    find_check,
    find_next_check,
    is_to_check,
    list_own_checks,
    measure_precision,
    withdraw_check,
)
from sync.link_decisions import (
    Word,
    decide_apart,
    decide_same,
    describe_link_decision,
    receive_link_decision,
    undo_link_decision,
)
from sync.models import Actor, AuditEvent, LinkCheck, Person, PersonRecord
from sync.policy import Viewer
from tests.sync.factory import NOW, add_site
from tests.sync.people import AWA, add_record

FIRST, SECOND, THIRD = (Viewer(number, "data_steward") for number in (1, 2, 3))


@pytest.fixture(autouse=True)
def actors(session: Session) -> None:
    session.add_all(Actor(kind="user", display_name=name, created_at=NOW) for name in ("Awa", "Binta", "Cheikh"))
    session.flush()


def link(session: Session, reference: str, **values: object) -> tuple[PersonRecord, PersonRecord]:
    """A later record that is linked by itself to an earlier one."""
    born = {"birth_date": date(1991, 4, 12)}
    first = add_record(session, **AWA, **born, **values)
    later = add_record(session, **AWA, **born, **values, reference=reference, hours=0)
    assert later.person_id == first.person_id
    return later, first


SAMPLED, NOT_SAMPLED = "2ZZZZ-ZZZZZ-00", "30000-00000-00"


@pytest.mark.both_databases
def test_sampled_link_awaits_two_people_and_neither_twice(session: Session) -> None:
    later, first = link(session, SAMPLED)
    for viewer in (FIRST, SECOND):
        assert find_next_check(session, viewer) == (later.home_id, first.home_id)
        assert is_to_check(session, viewer, later, first)
        add_check(session, later, first, "same", viewer.actor_id, NOW)
        assert find_next_check(session, viewer) is None
    assert find_next_check(session, THIRD) is None
    assert (measure_precision(session).checked, measure_precision(session).right) == (1, 1)


def test_what_is_not_in_the_sample_is_not_checked(session: Session) -> None:
    link(session, NOT_SAMPLED)
    assert find_next_check(session, FIRST) is None


def test_a_link_by_somebody_s_word_is_not_checked(session: Session) -> None:
    later, first = link(session, SAMPLED)
    decide_same(session, later.reference, first.reference, Word(1, NOW))
    assert find_next_check(session, FIRST) is None


def test_another_site_s_links_are_not_checked(session: Session) -> None:
    link(session, SAMPLED, site_id=add_site(session).id)
    assert find_next_check(session, Viewer(1, "protection_officer", add_site(session, "DIA").id)) is None


def test_a_check_is_one_of_the_answers_and_given_once(session: Session) -> None:
    later, first = link(session, SAMPLED)
    with pytest.raises(CheckRefused, check=lambda error: error.code == "link_check_unknown"):
        add_check(session, later, first, "perhaps", 1, NOW)
    add_check(session, later, first, "unsure", 1, NOW)
    with pytest.raises(CheckRefused, check=lambda error: error.code == "link_check_done"):
        add_check(session, later, first, "same", 1, NOW)


@pytest.mark.both_databases
def test_a_check_that_is_taken_back_is_asked_for_again_and_measures_nothing(session: Session) -> None:
    later, first = link(session, SAMPLED)
    for viewer in (FIRST, SECOND):
        add_check(session, later, first, "same", viewer.actor_id, NOW)
    (check,) = list_own_checks(session, FIRST)
    withdraw_check(session, check, 1, NOW)
    assert (measure_precision(session).checked, list_own_checks(session, FIRST)) == (0, [])
    assert find_next_check(session, FIRST) == (later.home_id, first.home_id)
    assert find_next_check(session, SECOND) is None
    event = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert event is not None
    assert (event.action, event.actor_id, event.details) == ("link.check_withdrawn", 1, {"answer": "same"})


def test_a_check_is_taken_back_by_who_made_it_or_an_administrator(session: Session) -> None:
    later, first = link(session, SAMPLED)
    add_check(session, later, first, "same", 1, NOW)
    looked = [find_check(session, viewer, later.home_id, first.home_id, 1) is not None for viewer in (FIRST, SECOND)]
    admin = find_check(session, Viewer(3, "administrator"), later.home_id, first.home_id, 1)
    assert (looked, admin is not None) == ([True, False], True)


@pytest.mark.both_databases
def test_undoing_what_a_check_parted_takes_the_check_back_too(session: Session) -> None:
    later, first = link(session, SAMPLED)
    add_check(session, later, first, "apart", 1, NOW)
    parted = decide_apart(session, later.reference, first.reference, Word(1, NOW))
    assert measure_precision(session).checked == 1
    (check,) = list_own_checks(session, FIRST)
    with pytest.raises(CheckRefused, check=lambda error: error.code == "link_check_parted"):
        withdraw_check(session, check, 1, NOW)
    undo_link_decision(session, parted, 2, NOW)
    assert measure_precision(session).checked == 0
    assert find_next_check(session, FIRST) == (later.home_id, first.home_id)


def test_hearing_once_more_of_what_was_undone_leaves_a_later_check_alone(session: Session) -> None:
    later, first = link(session, SAMPLED)
    parted = decide_apart(session, later.reference, first.reference, Word(1, NOW))
    undo_link_decision(session, parted, 2, NOW)
    add_check(session, later, first, "apart", 1, NOW + timedelta(hours=1))
    receive_link_decision(session, describe_link_decision(parted), NOW + timedelta(hours=2))
    assert measure_precision(session).checked == 1


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("checks", "checked", "right"),
    [
        ([], 0, 0),
        ([["same"]], 0, 0),
        ([["same", "same"]], 1, 1),
        ([["same", "apart"]], 1, 0),
        ([["apart"]], 1, 0),
        ([["same", "unsure"], ["unsure", "unsure"]], 0, 0),
        ([["same", "same"], ["same", "apart"], ["same", "same"], ["same"]], 3, 2),
    ],
    ids=["none", "one pair of eyes", "both right", "one finds it wrong", "parted at once", "nobody could tell", "all"],
)
def test_precision_counts_what_both_found_right(
    session: Session, checks: list[list[str]], checked: int, right: int
) -> None:
    session.add_all(Person(id=number, reference=f"{number}") for number in range(1, len(checks) + 2))
    session.flush()
    for home, answers in enumerate(checks, start=2):
        for actor, answer in enumerate(answers, start=1):
            session.add(LinkCheck(home_id=home, other_id=1, actor_id=actor, answer=answer, checked_at=NOW))
    measured = measure_precision(session)
    assert (measured.checked, measured.right) == (checked, right)
    assert 0 <= measured.low <= measured.share <= measured.high <= 1


def test_interval_narrows_with_more_checks() -> None:
    few, many = compute_precision(10, 10), compute_precision(1000, 1000)
    assert few.low == pytest.approx(0.722, abs=0.001)
    assert many.low > 0.99
