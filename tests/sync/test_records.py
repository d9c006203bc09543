"""Records in pages of a constant size."""

from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy.orm import Session

from forms.tables import list_tables
from sync.intake import Sender
from sync.models import Submission
from sync.policy import Viewer
from sync.publishing import find_newest, get_definition
from sync.records import (
    Page,
    count_records,
    find_last_id,
    find_record_id,
    list_readable,
    read_names,
    read_records,
    read_repeats,
)
from sync.sending import send_record
from tests.server.rest.samples import record
from tests.sync.factory import NOW
from tests.sync.test_answers import count_steps, sent

__all__ = ["sent"]
VIEWER = Viewer(1, "exchange")


@pytest.fixture
def several(sent: Session) -> Session:
    for name in "bcde":
        send_record(sent, "market", record(name), Sender(), NOW)
    sent.commit()
    return sent


def names(session: Session, page: Page) -> list[str]:
    return [one.instance_id for chunk in read_records(session, VIEWER, "market", page) for one in chunk]


@pytest.mark.both_databases
def test_chunks_leave_out_nothing_and_repeat_nothing(several: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.records.FIRST_CHUNK", 1)
    monkeypatch.setattr("sync.records.CHUNK", 2)
    assert names(several, Page()) == ["e", "d", "c", "b", "a"]
    assert names(several, Page(offset=1, limit=3)) == ["d", "c", "b"]
    assert count_records(several, VIEWER, "market", Page(limit=1)) == 5
    third = find_record_id(several, VIEWER, "market", "c")
    assert names(several, Page(before_id=third)) == ["b", "a"]
    assert names(several, replace(Page(), limit=0)) == []


@pytest.mark.both_databases
def test_what_came_since_the_first_page_is_on_no_page(several: Session) -> None:
    page = Page(up_to=find_record_id(several, VIEWER, "market", "c"))
    assert names(several, page) == ["c", "b", "a"]
    assert names(several, replace(page, order=[Submission.instance_id])) == ["a", "b", "c"]
    assert count_records(several, VIEWER, "market", page) == 3


def test_another_order_leaves_out_nothing_in_chunks(several: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.records.CHUNK", 2)
    page = Page(order=[Submission.instance_id])
    assert names(several, page) == ["a", "b", "c", "d", "e"]
    assert names(several, replace(page, offset=1, limit=3)) == ["b", "c", "d"]
    assert names(several, replace(page, limit=0)) == []


@pytest.mark.both_databases
def test_what_is_read_in_another_order_may_be_left_halfway(several: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.records.CHUNK", 2)
    page = Page(order=[Submission.instance_id])
    assert [one.instance_id for one in next(read_records(several, VIEWER, "market", page))] == ["a", "b"]
    send_record(several, "market", record("f"), Sender(), NOW)
    several.commit()
    assert names(several, page) == ["a", "b", "c", "d", "e", "f"]


def test_another_order_is_sorted_once(several: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = []
    for chunk in (1, 100):
        monkeypatch.setattr("sync.records.CHUNK", chunk)
        steps.append(count_steps(several, lambda: names(several, Page(order=[Submission.instance_id]))))
    assert steps[0] == steps[1]


def test_the_oldest_records_cost_no_more_than_the_newest(sent: Session) -> None:
    for number in range(40):
        send_record(sent, "market", record(f"n{number}"), Sender(), NOW)
    sent.commit()
    last = find_last_id(sent)
    pages = [Page(before_id=one, up_to=last, limit=2) for one in (last + 1, last - 35)]
    newest, oldest = (count_steps(sent, partial(names, sent, page)) for page in pages)
    assert oldest <= newest + 10


def test_an_edited_record_keeps_its_name_with_its_answers_and_without(several: Session) -> None:
    send_record(several, "market", record("later", deprecated="b"), Sender(), NOW)
    several.commit()
    told = {one.id: one.instance_id for chunk in read_records(several, VIEWER, "market", Page()) for one in chunk}
    assert list(told.values()) == ["b", "e", "d", "c", "a"]
    assert list(read_names(several, VIEWER, "market", Page())) == [told]


def test_repeats_are_read_for_some_records_only(several: Session) -> None:
    assert read_repeats(several, "market", [], ["crate"]) == {"crate": []}


def test_a_role_takes_out_what_it_reads_plainly_and_may_export(several: Session) -> None:
    version = find_newest(several, "market")
    assert version is not None
    definition = get_definition(several, version)
    table = list_tables(definition)[""]
    assert len(list_readable(VIEWER, definition, table)) == len(table.columns)
    supervisor = list_readable(Viewer(1, "national_supervisor"), definition, table)
    assert {one.path for one in supervisor} == {"/data/meta/instanceID"}
