"""The loop around the processing: batches, and that one broken record never harms another."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import Session

import server.processing
from server.extensions import db
from server.processing import BATCH, WRITTEN_AT_ONCE, Batch, Pace, process_batch, process_pending
from sync.db import begin_write
from sync.models import Blob, FormAttachment, Submission
from sync.publishing import publish_form
from tests.sync.factory import NOW, add_submission, form_file

AWA = {"prenoms": "Awa", "nom": "Ndiaye", "sexe": "2", "age": "31"}


@pytest.fixture
def arrived(session: Session) -> list[Submission]:
    publish_form(session, form_file(), {}, None, NOW)
    rows = [add_submission(session, f"uuid:{number}", [AWA]) for number in range(WRITTEN_AT_ONCE["sqlite"] + 2)]
    session.commit()
    return rows


@pytest.fixture
def pace(app: Flask) -> Pace:
    return Pace(db.engine.dialect.name)


def states(session: Session, rows: list[Submission]) -> list[str]:
    session.rollback()
    return [one.state for one in rows]


def test_nothing_due_is_nothing_done(pace: Pace) -> None:
    assert (process_batch(pace), process_pending()) == (Batch(), Batch())


@pytest.mark.both_databases
def test_all_that_came_is_judged(session: Session, arrived: list[Submission]) -> None:
    assert process_pending() == Batch(done=len(arrived))
    assert states(session, arrived) == ["merged"] * len(arrived)


def test_a_batch_takes_the_oldest_and_no_more(session: Session, arrived: list[Submission], pace: Pace) -> None:
    assert process_batch(pace, limit=2) == Batch(done=2)
    assert states(session, arrived)[:3] == ["merged", "merged", "received"]
    assert max(WRITTEN_AT_ONCE.values()) <= BATCH


def test_it_ends_where_it_may_not_go_on(session: Session, arrived: list[Submission]) -> None:
    assert process_pending(lambda: False) == Batch()
    assert states(session, arrived) == ["received"] * len(arrived)


@pytest.mark.both_databases
def test_a_record_for_which_nothing_can_be_gathered_harms_no_other(
    session: Session, arrived: list[Submission], pace: Pace
) -> None:
    version = publish_form(session, form_file(form_id="lists"), {}, None, NOW).version
    # Its list is named in the catalogue, and gone from the disk.
    session.add(Blob(sha256="f" * 64, md5="0" * 32, size=1, created_at=NOW))
    session.add(FormAttachment(form_version=version, name="towns.csv", type="list", blob_sha256="f" * 64))
    broken = add_submission(session, "uuid:broken", form_id="lists")
    session.commit()
    assert process_batch(pace) == Batch(done=len(arrived), failed=1)
    assert states(session, [*arrived, broken]) == [*["merged"] * len(arrived), "received"]
    assert broken.events[0].details == {"attempt": 1, "error": "FileNotFoundError"}


@pytest.mark.both_databases
def test_a_record_that_breaks_the_writing_harms_no_other(
    session: Session, arrived: list[Submission], pace: Pace, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, write = arrived[1].id, server.processing.apply_verdicts

    def fail_for_one(session: Session, verdicts: Any, now: Any) -> None:
        if any(one.work.id == broken for one in verdicts):
            raise RuntimeError("this one cannot be written")
        write(session, verdicts, now)

    monkeypatch.setattr(server.processing, "apply_verdicts", fail_for_one)
    assert process_batch(pace) == Batch(done=len(arrived) - 1, failed=1)
    assert states(session, arrived) == ["merged", "received", *["merged"] * (len(arrived) - 2)]
    assert arrived[1].events[0].details == {"attempt": 1, "error": "RuntimeError"}


def test_ever_more_is_written_together_until_somebody_waits(pace: Pace) -> None:
    """A tablet that comes to a quiet server waits for what is being written, and no other after it."""
    sizes = [pace.size]
    for _ in range(5):
        with Session(db.engine) as writer:
            begin_write(writer)
            pace.keep(writer)
        sizes.append(pace.size)
    assert sizes == [4, 8, 16, 32, BATCH, BATCH]
    with Session(db.engine) as writer, ThreadPoolExecutor() as tablets:
        begin_write(writer)
        tablet = tablets.submit(_write_nothing, db.engine)
        while pace.size == BATCH:
            pace.keep(writer)
        writer.rollback()
        tablet.result()
    assert pace.size == WRITTEN_AT_ONCE["sqlite"]


def _write_nothing(engine: Engine) -> None:
    with Session(engine) as session:
        begin_write(session)


@pytest.mark.both_databases
def test_postgresql_writes_a_batch_together(session: Session, pace: Pace) -> None:
    kind = db.engine.dialect.name
    assert pace.size == WRITTEN_AT_ONCE[kind]
    pace.keep(session)
    assert pace.size == min(2 * WRITTEN_AT_ONCE[kind], BATCH)
