"""Pages by key: each row once, though new ones come meanwhile."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.web.paging import Page, read_page
from sync.models import JobRun


@pytest.fixture
def five(session: Session) -> list[int]:
    rows = [JobRun(job="process", started_at=datetime.now(UTC), outcome="done", details={}) for _ in range(5)]
    session.add_all(rows)
    session.flush()
    return [one.id for one in rows]


def read(before: int | None, size: int = 2) -> Page:
    return read_page(select(JobRun).order_by(JobRun.id.desc()), JobRun.id, before, size)


def ids(page: Page) -> list[int]:
    return [one.id for one in page.rows]


def test_pages_follow_each_other_to_the_end(five: list[int]) -> None:
    first = read(None)
    second = read(first.before)
    third = read(second.before)
    assert [ids(first), ids(second), ids(third)] == [five[:2:-1], five[2:0:-1], five[:1]]
    assert (first.first, second.first, third.before) == (True, False, None)


def test_a_row_that_comes_meanwhile_shifts_nothing(session: Session, five: list[int]) -> None:
    first = read(None)
    session.add(JobRun(job="process", started_at=datetime.now(UTC), outcome="done", details={}))
    session.flush()
    assert ids(read(first.before)) == five[2:0:-1]


def test_a_list_that_fits_has_one_page(five: list[int]) -> None:
    assert read(None, size=5).before is None
