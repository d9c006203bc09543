"""Why a question is urgent, told by its two records and by what their sites answered."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.link_fold import fold_links, read_link_record
from sync.link_inquiries import answer_inquiry, ask_site
from sync.link_urgency import QueuedSide, find_signs, read_urgency
from sync.models import Actor, LinkQuestion, PersonRecord
from tests.sync.factory import NOW, add_site
from tests.sync.people import AWA, add_record

CHILD: dict[str, Any] = AWA | {"age": 9}


@pytest.mark.parametrize(
    ("side", "child"),
    [
        (QueuedSide("5_11", None, None, None), True),
        (QueuedSide(None, 17, None, None), True),
        (QueuedSide(None, None, 2012, NOW), True),
        (QueuedSide("25_59", None, 2012, NOW), False),
        (QueuedSide(None, None, None, None), False),
    ],
    ids=["by band", "by age", "by birth", "band before birth", "nothing known"],
)
def test_who_is_known_as_a_child(side: QueuedSide, child: bool) -> None:
    assert side.is_child() is child


@pytest.mark.parametrize(
    ("urgency", "fresh", "signs"),
    [(0, False, ()), (2, False, ("child",)), (6, True, ("child", "fresh")), (4, True, ("fresh",))],
)
def test_signs_of_urgency(urgency: int, fresh: bool, signs: tuple[str, ...]) -> None:
    assert find_signs(urgency, fresh=fresh) == signs


def find_question(session: Session) -> LinkQuestion:
    session.expire_all()
    return session.scalars(select(LinkQuestion)).one()


@pytest.mark.both_databases
def test_a_question_keeps_whether_a_child_is_among_the_two_and_when_they_were_met(session: Session) -> None:
    add_record(session, **AWA, birth_date=date(2017, 4, 12), hours=90)
    later = add_record(session, **CHILD | {"mother_name": ""}, hours=50)
    asked = find_question(session)
    assert (asked.urgency, asked.met_at) == (2, later.ended_at)


@pytest.mark.both_databases
def test_an_answer_of_the_site_makes_the_question_urgent_once(session: Session) -> None:
    session.add(Actor(kind="user", display_name="Awa", created_at=NOW))
    site_id = add_site(session).id
    one = add_record(session, **AWA, birth_date=date(1991, 4, 12), site_id=site_id)
    other = add_record(session, **AWA | {"mother_name": ""}, age=35, site_id=site_id)
    for wanted in ("age", "sex"):
        answer_inquiry(session, ask_site(session, other, one, [wanted], "", 1, NOW), "right", "", 1, NOW)
        assert find_question(session).urgency == 4
    assert read_urgency(session.connection(), [(one.home_id, other.home_id)]) == {
        (one.home_id, other.home_id): (4, one.ended_at)
    }


def test_a_record_that_is_edited_changes_how_urgent_its_question_is(session: Session) -> None:
    add_record(session, **AWA, birth_date=date(1991, 4, 12), hours=90)
    record = add_record(session, **AWA | {"mother_name": ""}, age=35, hours=50)
    assert find_question(session).urgency == 0
    session.get_one(PersonRecord, record.id).age_band = "12_17"
    session.flush()
    came = {record.home_id: read_link_record(session.get_one(PersonRecord, record.id))}
    fold_links(session.connection(), {record.home_id: record.reference}, came, NOW + timedelta(hours=1))
    assert find_question(session).urgency == 2
