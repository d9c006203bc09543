"""What is kept flat, when, and how it comes back after it was lost."""

import sqlite3
from collections.abc import Callable
from typing import cast

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from forms.xlsform import convert_xlsform
from server.processing import process_pending
from sync.answers import count_unread, read_answer, read_moment, read_unread, rebuild_answers
from sync.intake import Sender
from sync.models import AnswerRow, AnswerValue, Submission
from sync.publishing import FormFile, publish_form
from sync.sending import send_record
from tests.server.rest.samples import MARKET, record, workbook
from tests.sync.factory import NOW

ANSWERS = "<fruit>mango</fruit><boxes>3</boxes><crate><mark>A</mark></crate>"


@pytest.fixture
def sent(session: Session) -> Session:
    """The form `market`, and one record that nobody judged yet."""
    made = convert_xlsform(workbook(MARKET), "market.xlsx")
    publish_form(session, FormFile(made.xml, made.definition), {}, None, NOW)
    send_record(session, "market", record("a", ANSWERS), Sender(), NOW)
    session.commit()
    return session


def kept(session: Session) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    rows = session.execute(
        select(
            AnswerRow.table_name, AnswerRow.number, AnswerRow.parent, AnswerRow.key, AnswerRow.answers, AnswerRow.cells
        )
    )  # fmt: skip
    values = session.execute(select(AnswerValue.path, AnswerValue.text, AnswerValue.number).order_by(AnswerValue.path))
    found = [tuple(one) for one in rows], [tuple(one) for one in values]
    session.rollback()
    return found


@pytest.mark.both_databases
def test_judging_reading_and_rebuilding_keep_the_same(sent: Session) -> None:
    assert (count_unread(sent, "market"), read_unread(sent, "market"), count_unread(sent, "market")) == (1, 1, 0)
    sent.commit()
    before = kept(sent)
    line = "\x1f".join(["mango", "3", *[""] * 8, "a"]).encode()
    assert before == (
        [
            ("", 0, None, "", b'{"fruit":"mango","boxes":3,"meta":{"instanceID":"a"}}', line),
            ("crate", 1, 0, "crate[1]", b'{"mark":"A"}', b"A"),
        ],
        [("boxes", "3", 3.0), ("fruit", "mango", None)],
    )
    process_pending()
    assert kept(sent) == before
    sent.execute(delete(AnswerValue))
    assert rebuild_answers(sent) == 1
    assert rebuild_answers(sent, 1) is None
    sent.commit()
    assert kept(sent) == before


def test_a_rebuild_of_what_is_missing_leaves_the_rest_alone(sent: Session) -> None:
    process_pending()
    assert rebuild_answers(sent, missing_only=True) is None


def test_cells_that_were_never_kept_are_missing(sent: Session) -> None:
    process_pending()
    before = kept(sent)
    sent.execute(update(AnswerRow).values(layout_id=None, cells=None))
    assert rebuild_answers(sent, missing_only=True) == 1
    sent.commit()
    assert kept(sent) == before


def test_to_look_for_the_unread_costs_nothing_for_what_was_judged(sent: Session) -> None:
    before = count_steps(sent, lambda: count_unread(sent, "market"))
    for number in range(30):
        send_record(sent, "market", record(f"n{number}"), Sender(), NOW)
    sent.execute(update(Submission).where(Submission.id > 1).values(processed_at=NOW))
    assert count_steps(sent, lambda: count_unread(sent, "market")) <= before + 10


def count_steps(session: Session, act: Callable[[], object]) -> int:
    """What SQLite does for an act, in steps of its virtual machine."""
    steps: list[int] = []
    connection = cast(sqlite3.Connection, session.connection().connection.driver_connection)
    connection.set_progress_handler(lambda: steps.append(1), 1)
    act()
    connection.set_progress_handler(None, 1)
    return len(steps)


@pytest.mark.parametrize(
    ("value", "kind", "read"),
    [
        (3, "int", ("3", 3.0)),
        ("three", "int", ("three", None)),
        ("2026-11-20T08:00:00.000+01:00", "dateTime", ("2026-11-20T08:00:00.000+01:00", 1795158000.0)),
        ("2026-11-20", "date", ("2026-11-20", None)),
        ("x" * 256, "string", ("x" * 256, None)),
    ],
)
def test_an_answer_is_compared_by_its_text_and_by_what_orders_it(value: object, kind: str, read: object) -> None:
    assert read_answer(value, kind) == read


def test_a_moment_without_a_zone_is_utc() -> None:
    assert read_moment("2026-11-20T08:00:00") == read_moment("2026-11-20T08:00:00Z")
    assert read_moment("soon") is None
