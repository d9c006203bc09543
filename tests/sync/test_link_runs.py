"""The registry weighed anew: what another model would change, what people's labels say of it, what was overlooked."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from sync.link_decisions import Word, decide_apart, decide_same
from sync.link_fold import look_again
from sync.link_queue import count_questions
from sync.link_runs import Run, run_model
from sync.linkage.batch import Weighed
from sync.linkage.model import LinkModel, default_model
from sync.models import LinkPair, PersonRecord
from sync.policy import Viewer
from sync.registry import registry_digest
from tests.sync.factory import NOW
from tests.sync.linkage.one_by_one import weigh_one_by_one
from tests.sync.meetings import AWA, AWA_AGAIN, BINTA, meet, persons, prepare, questions, reference
from tests.sync.people import add_record
from tests.sync.test_link_view import MOUSSA

TIMID = replace(default_model(), link_at=200.0)


@pytest.fixture
def linked(session: Session) -> None:
    prepare(session)
    for number, met in enumerate((AWA, AWA_AGAIN, BINTA), 1):
        meet(session, f"uuid:{number}", met, day=number)
    assert len(persons(session)) == 2


def run(session: Session, folder: Path, model: LinkModel) -> Run:
    return run_model(session, model, weigh_one_by_one, folder)


def test_an_empty_registry_has_nothing_to_change(session: Session, tmp_path: Path) -> None:
    found = run(session, tmp_path, default_model())
    assert (found.records, found.persons, found.questions, found.calibration) == (0, 0, 0, [])


@pytest.mark.both_databases
def test_the_active_model_changes_nothing(
    session: Session, linked: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "sync.link_runs")
    found = run(session, tmp_path, default_model())
    assert caplog.messages[:2] == ["link run: 3 records cleaned", "link run: 1 pairs weighed"]
    assert not [told for told in caplog.messages if AWA.nom in told or reference("uuid:1") in told]
    assert (found.records, found.persons, found.persons_before) == (3, 2, 2)
    assert (found.joined, found.parted, found.overlooked, found.crowded) == (0, 0, [], 0)


def test_as_many_questions_are_told_as_stand_in_the_queue(session: Session, tmp_path: Path) -> None:
    """Of three persons with one document the third pair waits for what people say of the first two."""
    for band in ("0_4", "25_59", "60_plus"):
        add_record(session, **MOUSSA, document_number="A1234567", age_band=band)
    assert run(session, tmp_path, default_model()).questions == count_questions(session, Viewer(1, "data_steward")) == 2


def test_another_model_tells_what_it_would_change_and_changes_nothing(
    session: Session, linked: None, tmp_path: Path
) -> None:
    before = registry_digest(session)
    found = run(session, tmp_path, TIMID)
    assert (found.persons, found.joined, found.parted, found.questions) == (3, 0, 1, 1)
    assert registry_digest(session) == before


def test_what_people_said_is_what_a_model_is_measured_by(session: Session, linked: None, tmp_path: Path) -> None:
    one, other, third = (
        session.query(PersonRecord.reference).order_by(PersonRecord.given_names, PersonRecord.reference).all()
    )
    decide_apart(session, one[0], other[0], Word(None, NOW, "deux sœurs"))
    decide_same(session, one[0], third[0], Word(None, NOW + timedelta(minutes=1), "même carte"))
    session.commit()
    found = run(session, tmp_path, default_model())
    assert (found.labels, found.joined, found.parted) == (2, 0, 0)
    # The model alone would link the first two, and would not link the third: both are told as its errors.
    assert [(one.pairs, one.observed) for one in found.calibration] == [(1, 1.0), (1, 0.0)]
    assert found.error is not None
    assert found.error > 0.9


def test_records_that_come_while_all_are_weighed_are_left_to_the_next_run(
    session: Session, linked: None, tmp_path: Path
) -> None:
    decide_apart(session, reference("uuid:1"), reference("uuid:9"), Word(None, NOW))
    session.commit()

    def weigh(folder: Path, model: LinkModel, records: int) -> Iterator[Weighed]:
        meet(session, "uuid:9", AWA, day=9)
        return weigh_one_by_one(folder, model, records)

    found = run_model(session, default_model(), weigh, tmp_path)
    assert (found.records, found.persons_before, found.labels) == (3, 2, 0)
    assert run(session, tmp_path, default_model()).labels == 1


@pytest.mark.both_databases
def test_what_was_overlooked_is_found_and_decided_anew(session: Session, linked: None, tmp_path: Path) -> None:
    before = registry_digest(session)
    session.execute(delete(LinkPair))
    session.execute(update(PersonRecord).values(person_id=PersonRecord.home_id))
    session.commit()
    missed = run(session, tmp_path, default_model())
    assert (missed.joined, len(missed.overlooked)) == (1, 1)
    assert look_again(session, missed.overlooked, NOW) == 1
    session.commit()
    assert registry_digest(session) == before


@pytest.mark.both_databases
def test_looking_again_joins_nobody_whom_people_have_kept_apart(session: Session, linked: None, tmp_path: Path) -> None:
    decide_apart(session, reference("uuid:1"), reference("uuid:2"), Word(None, NOW, "deux cousines"))
    session.execute(delete(LinkPair))
    session.commit()
    missed = run(session, tmp_path, default_model())
    assert look_again(session, missed.overlooked, NOW) == 1
    assert session.scalar(select(func.count(LinkPair.one_id))) == 2
    assert (len(persons(session)), questions(session)) == (3, [])
