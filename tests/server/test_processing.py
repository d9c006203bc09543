"""The loop around the processing: batches, and that one broken record never harms another."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

import server.processing
from server.processing import BATCH, WRITTEN_AT_ONCE, Batch, process_batch, process_pending
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


def states(session: Session, rows: list[Submission]) -> list[str]:
    session.rollback()
    return [one.state for one in rows]


def test_nothing_due_is_nothing_done(app: Flask) -> None:
    assert (process_batch(), process_pending()) == (Batch(), Batch())


@pytest.mark.both_databases
def test_all_that_came_is_judged(session: Session, arrived: list[Submission]) -> None:
    assert process_pending() == Batch(done=len(arrived))
    assert states(session, arrived) == ["merged"] * len(arrived)


def test_a_batch_takes_the_oldest_and_no_more(session: Session, arrived: list[Submission]) -> None:
    assert process_batch(limit=2) == Batch(done=2)
    assert states(session, arrived)[:3] == ["merged", "merged", "received"]
    assert max(WRITTEN_AT_ONCE.values()) <= BATCH


def test_it_ends_where_it_may_not_go_on(session: Session, arrived: list[Submission]) -> None:
    assert process_pending(lambda: False) == Batch()
    assert states(session, arrived) == ["received"] * len(arrived)


@pytest.mark.both_databases
def test_a_record_for_which_nothing_can_be_gathered_harms_no_other(session: Session, arrived: list[Submission]) -> None:
    version = publish_form(session, form_file(form_id="lists"), {}, None, NOW).version
    # Its list is named in the catalogue, and gone from the disk.
    session.add(Blob(sha256="f" * 64, md5="0" * 32, size=1, created_at=NOW))
    session.add(FormAttachment(form_version=version, name="towns.csv", type="list", blob_sha256="f" * 64))
    broken = add_submission(session, "uuid:broken", form_id="lists")
    session.commit()
    assert process_batch() == Batch(done=len(arrived), failed=1)
    assert states(session, [*arrived, broken]) == [*["merged"] * len(arrived), "received"]
    assert broken.events[0].details == {"attempt": 1, "error": "FileNotFoundError"}


@pytest.mark.both_databases
def test_a_record_that_breaks_the_writing_harms_no_other(
    session: Session, arrived: list[Submission], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, write = arrived[1].id, server.processing.apply_verdicts

    def fail_for_one(session: Session, verdicts: Any, now: Any) -> None:
        if any(one.work.id == broken for one in verdicts):
            raise RuntimeError("this one cannot be written")
        write(session, verdicts, now)

    monkeypatch.setattr(server.processing, "apply_verdicts", fail_for_one)
    assert process_batch() == Batch(done=len(arrived) - 1, failed=1)
    assert states(session, arrived) == ["merged", "received", *["merged"] * (len(arrived) - 2)]
    assert arrived[1].events[0].details == {"attempt": 1, "error": "RuntimeError"}
