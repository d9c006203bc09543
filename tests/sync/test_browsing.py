"""Lists of submissions: filtered, in order, with neighbours, twins and corrections, within the reader's rights."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from sync import browsing
from sync.browsing import (
    Filters,
    find_neighbours,
    find_submission,
    list_edits,
    list_exportable,
    list_twins,
    select_submissions,
)
from sync.models import Submission
from sync.policy import Viewer
from tests.sync.factory import NOW, add_device, add_site, add_submission

AUDITOR = Viewer(1, "auditor")


@pytest.fixture
def rows(session: Session) -> list[Submission]:
    ros, dia = (add_device(session, add_site(session, code), f"{code}-1") for code in ("ROS", "DIA"))
    found = [
        add_submission(session, "uuid:1", device=ros, form_id="f02_passage"),
        add_submission(session, "uuid:2", device=dia, form_id="f04_arrivee", received_at=NOW + timedelta(days=1)),
        add_submission(session, "uuid:3", device=ros, form_id="f02_passage", received_at=NOW + timedelta(days=2)),
    ]
    found[0].state = "merged"
    add_submission(session, "uuid:test", device=ros, is_draft=True)
    session.flush()
    return found


def listed(session: Session, rows: list[Submission], viewer: Viewer = AUDITOR, **filters: object) -> list[int]:
    found = session.scalars(select_submissions(viewer, Filters(**filters)))  # type: ignore[arg-type]
    return [rows.index(one) for one in found]


@pytest.mark.both_databases
def test_the_list_is_the_newest_first_and_without_tests(session: Session, rows: list[Submission]) -> None:
    assert listed(session, rows) == [2, 1, 0]


def test_filters_narrow_it(session: Session, rows: list[Submission]) -> None:
    assert listed(session, rows, state="merged") == [0]
    assert listed(session, rows, form_id="f02_passage") == [2, 0]
    assert listed(session, rows, site_id=rows[1].site_id) == [1]
    assert listed(session, rows, device_id=rows[0].device_id) == [2, 0]
    assert listed(session, rows, since=NOW + timedelta(days=1)) == [2, 1]
    assert listed(session, rows, until=NOW + timedelta(days=1)) == [0]


def test_a_reader_of_one_site_gets_its_rows(session: Session, rows: list[Submission]) -> None:
    viewer = Viewer(1, "site_supervisor", rows[0].site_id)
    assert listed(session, rows, viewer) == [2, 0]
    assert find_submission(session, viewer, rows[1].id) is None


def test_only_classes_that_may_leave_are_exported(session: Session, rows: list[Submission]) -> None:
    exported = list(list_exportable(session, Viewer(1, "national_supervisor"), Filters()))
    assert {one.form_id for one in exported} == {"f02_passage"}
    assert list(list_exportable(session, AUDITOR, Filters())) == []


def test_neighbours_are_those_of_the_same_list(session: Session, rows: list[Submission]) -> None:
    first, second, third = (one.id for one in rows)
    assert find_neighbours(session, AUDITOR, Filters(), second) == (third, first)
    assert find_neighbours(session, AUDITOR, Filters(form_id="f02_passage"), third) == (None, first)


def test_twins_name_each_other_whichever_is_read(session: Session, rows: list[Submission]) -> None:
    twins = [add_submission(session, "uuid:1", form_id="f02_passage", twin_of_id=rows[0].id, body=body)
             for body in (b"<a/>", b"<b/>")]  # fmt: skip
    assert list_twins(session, AUDITOR, rows[0]) == twins
    assert list_twins(session, AUDITOR, twins[1]) == [rows[0], twins[0]]
    assert list_twins(session, AUDITOR, rows[1]) == []


def test_corrections_stand_in_their_order_whichever_is_read(session: Session, rows: list[Submission]) -> None:
    given = {"form_id": "f02_passage", "device": rows[0].device}
    second = add_submission(session, "uuid:1b", deprecated_id="uuid:1", **given)
    third = add_submission(session, "uuid:1c", deprecated_id="uuid:1b", **given)
    chain = [rows[0], second, third]
    assert [list_edits(session, AUDITOR, one) for one in chain] == [chain] * 3
    assert list_edits(session, AUDITOR, rows[1]) == [rows[1]]


def test_corrections_in_a_circle_come_to_an_end(session: Session, rows: list[Submission]) -> None:
    given = {"form_id": "f02_passage", "device": rows[0].device}
    one = add_submission(session, "uuid:x", deprecated_id="uuid:y", **given)
    other = add_submission(session, "uuid:y", deprecated_id="uuid:x", **given)
    assert set(list_edits(session, AUDITOR, one)) == {one, other}


@pytest.mark.both_databases
@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_an_export_is_read_in_pieces_that_meet(
    session: Session, rows: list[Submission], monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(browsing, "_AT_ONCE", at_once)
    exchange = Viewer(1, "exchange")
    assert [rows.index(one) for one in list_exportable(session, exchange, Filters())] == [2, 1, 0]
    assert [rows.index(one) for one in list_exportable(session, exchange, Filters(state="merged"))] == [0]
