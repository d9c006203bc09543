"""Submissions are judged, find their place among twins and edits, and reach the registry once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from server.extensions import attachment_store, db
from server.processing import Pace, process_batch, process_pending
from sync.attachments import add_blob
from sync.models import Encounter, Person, PersonRecord, Submission, SubmissionEvent
from sync.processing import DELAYS, MAX_ATTEMPTS, claim_work, get_bare_work, record_failure
from sync.publishing import add_draft, change_form_state, publish_form
from sync.quarantine import DecisionRefused, accept, reject, replay
from sync.registry import registry_digest
from tests.plans import watched_scans
from tests.sync.factory import NOW, add_device, add_site, add_submission, form_file

AWA = {"prenoms": "Awa", "nom": "Ndiaye", "sexe": "2", "age": "31"}
MOUSSA = {"prenoms": "Moussa", "nom": "Sarr", "sexe": "1", "age": "19"}
WRONG = {"prenoms": "Fatou", "nom": "Sow", "sexe": "9", "age": "vingt"}


@pytest.fixture
def published(session: Session) -> None:
    publish(session)


def publish(session: Session, version: str = "1") -> None:
    villages = attachment_store().save(b"name,label\nros,Rosso\n")
    add_blob(session.connection(), villages, NOW)
    publish_form(session, form_file(version), {"villages.csv": villages.sha256}, None, NOW)
    session.commit()


def settle(session: Session) -> None:
    session.commit()
    process_pending()
    session.expire_all()


def states(session: Session) -> dict[str, str]:
    rows = session.execute(select(Submission.instance_id, Submission.state).where(Submission.twin_of_id.is_(None)))
    return {row.instance_id: row.state for row in rows}


def names(session: Session) -> list[str | None]:
    return sorted(session.scalars(select(PersonRecord.given_names)), key=str)


@pytest.mark.both_databases
def test_a_good_record_is_merged_with_its_people(session: Session, published: None) -> None:
    add_submission(session, "uuid:1", [AWA, MOUSSA])
    settle(session)
    assert states(session) == {"uuid:1": "merged"}
    assert names(session) == ["Awa", "Moussa"]
    assert session.scalars(select(Encounter.direction)).all() == ["entree"]
    assert len(session.scalars(select(Person)).all()) == 2


@pytest.mark.both_databases
def test_a_bad_record_waits_in_quarantine_with_its_findings(session: Session, published: None) -> None:
    add_submission(session, "uuid:1", [WRONG])
    settle(session)
    (row,) = session.scalars(select(Submission))
    assert row.state == "quarantined"
    assert {one.path for one in row.findings} == {"/data/personnes[1]/sexe", "/data/personnes[1]/age"}
    assert names(session) == []


@pytest.mark.parametrize(
    ("facts", "reason"),
    [({"version": "9"}, "unknown_version"), ({"form_id": "autre"}, "unknown_form"), ({"body": b"<"}, "unreadable")],
    ids=["unknown version", "unknown form", "unreadable"],
)
def test_what_cannot_be_judged_says_why(session: Session, published: None, facts: dict[str, str], reason: str) -> None:
    row = add_submission(session, "uuid:1", [AWA], **facts)
    settle(session)
    assert (row.state, row.reason) == ("quarantined", reason)


def test_publishing_the_missing_version_judges_what_waited(session: Session, published: None) -> None:
    row = add_submission(session, "uuid:1", [AWA], version="2")
    settle(session)
    publish(session, "2")
    settle(session)
    assert (row.state, names(session)) == ("merged", ["Awa"])


def test_a_draft_never_reaches_the_registry(session: Session) -> None:
    add_draft(session, form_file(), {}, NOW)
    row = add_submission(session, "uuid:1", [AWA], is_draft=True)
    settle(session)
    assert (row.state, names(session)) == ("merged", [])


@pytest.mark.both_databases
def test_an_edit_replaces_what_its_original_said_and_keeps_the_person(session: Session, published: None) -> None:
    add_submission(session, "uuid:1", [AWA])
    settle(session)
    before = session.execute(select(PersonRecord.person_id, PersonRecord.reference)).one()
    add_submission(session, "uuid:2", [{**AWA, "prenoms": "Awa Marie"}], deprecated_id="uuid:1")
    settle(session)
    assert names(session) == ["Awa Marie"]
    assert session.execute(select(PersonRecord.person_id, PersonRecord.reference)).one() == before


def test_an_edit_before_its_original_is_held_and_then_released(session: Session, published: None) -> None:
    add_submission(session, "uuid:2", [MOUSSA], deprecated_id="uuid:1")
    settle(session)
    assert (states(session), names(session)) == ({"uuid:2": "held"}, [])
    add_submission(session, "uuid:1", [AWA])
    settle(session)
    assert (states(session), names(session)) == ({"uuid:1": "merged", "uuid:2": "merged"}, ["Moussa"])


def test_an_edit_with_errors_leaves_the_original_in_the_registry(session: Session, published: None) -> None:
    add_submission(session, "uuid:1", [AWA])
    add_submission(session, "uuid:2", [WRONG], deprecated_id="uuid:1")
    settle(session)
    assert (states(session)["uuid:2"], names(session)) == ("quarantined", ["Awa"])


Act = Callable[[Session, Submission], object]


def test_an_accepted_record_counts_in_spite_of_its_findings(session: Session, published: None) -> None:
    row = add_submission(session, "uuid:1", [WRONG])
    settle(session)
    accept(session, row, None, "Vérifié par téléphone", NOW)
    settle(session)
    assert (row.state, names(session)) == ("merged", ["Fatou"])


def test_a_rejected_record_leaves_the_registry_and_replay_brings_it_back(session: Session, published: None) -> None:
    row = add_submission(session, "uuid:1", [AWA])
    settle(session)
    reject(session, row, None, "Saisie de formation", NOW)
    settle(session)
    assert (row.state, names(session)) == ("rejected", [])
    replay(session, row, None, "", NOW)
    settle(session)
    assert (row.state, names(session)) == ("merged", ["Awa"])
    assert [one.kind for one in row.decisions] == ["reject", "replay"]


@pytest.mark.parametrize("decide", [accept, reject])
def test_a_decision_needs_a_reason(session: Session, published: None, decide: Callable[..., object]) -> None:
    row = add_submission(session, "uuid:1", [AWA])
    with pytest.raises(DecisionRefused, match="reason"):
        decide(session, row, None, " ok ", NOW)


def test_accepting_the_other_twin_swaps_what_counts(session: Session, published: None) -> None:
    first = add_submission(session, "uuid:1", [AWA])
    second = add_submission(session, "uuid:1", [MOUSSA], twin_of_id=first.id)
    settle(session)
    losing = first if first.xml_sha256 > second.xml_sha256 else second
    assert (losing.state, losing.reason, len(names(session))) == ("quarantined", "twin", 1)
    before = names(session)
    accept(session, losing, None, "Le bon des deux", NOW)
    settle(session)
    assert (losing.state, sorted(names(session) + before)) == ("merged", ["Awa", "Moussa"])


def test_a_clock_that_is_ahead_is_proven(session: Session, published: None) -> None:
    device = add_device(session, add_site(session))
    add_submission(session, "uuid:1", [AWA], device=device, end=NOW + timedelta(hours=1))
    settle(session)
    session.refresh(device)
    assert device.clock_ahead_s == 3600


def test_a_missing_file_shows_but_hides_nobody(session: Session, published: None) -> None:
    row = add_submission(session, "uuid:1", [AWA], photo="photo.jpg")
    settle(session)
    assert (row.state, row.missing_files, names(session)) == ("incomplete", 1, ["Awa"])


@pytest.mark.both_databases
def test_a_poisoned_record_blocks_nobody(
    session: Session, published: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    poisoned = add_submission(session, "uuid:1", [AWA])
    healthy = add_submission(session, "uuid:2", [MOUSSA])
    break_fold(monkeypatch, poisoned.id)
    session.commit()
    batch = process_batch(Pace(db.engine.dialect.name))
    session.expire_all()
    assert (batch.done, batch.failed) == (1, 1)
    assert (healthy.state, poisoned.state, poisoned.attempts) == ("merged", "received", 1)
    assert "Awa" not in caplog.text


def test_after_five_tries_a_poisoned_record_waits_for_a_human(
    session: Session, published: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned = add_submission(session, "uuid:1", [AWA])
    break_fold(monkeypatch, poisoned.id)
    for _ in range(MAX_ATTEMPTS):
        poisoned.next_attempt_at = None
        session.commit()
        process_batch(Pace(db.engine.dialect.name))
        session.expire_all()
    assert (poisoned.state, poisoned.reason) == ("quarantined", "processing_failed")


def break_fold(monkeypatch: pytest.MonkeyPatch, submission_id: int) -> None:
    """A fault that no test could foresee, in the midst of writing."""
    import sync.processing

    fold = sync.processing.fold_family

    def broken(session: Session, family: list[int], contribution: object, now: datetime) -> None:
        if submission_id in family:
            raise RuntimeError("Awa")
        fold(session, family, contribution, now)  # type: ignore[arg-type]

    monkeypatch.setattr(sync.processing, "fold_family", broken)


def test_processing_twice_says_it_once(session: Session, published: None) -> None:
    row = add_submission(session, "uuid:1", [AWA])
    settle(session)
    replay(session, row, None, "", NOW)
    settle(session)
    assert names(session) == ["Awa"]
    kinds = session.scalars(select(SubmissionEvent.kind).order_by(SubmissionEvent.id)).all()
    assert kinds == ["judged", "released", "judged"]


STORY = [
    ("uuid:1", [AWA], {}),
    ("uuid:2", [{**AWA, "prenoms": "Awa Marie"}], {"deprecated_id": "uuid:1"}),
    ("uuid:3", [{**AWA, "prenoms": "Awa Louise"}], {"deprecated_id": "uuid:1"}),
    ("uuid:4", [MOUSSA], {"deprecated_id": "uuid:2"}),
    ("uuid:5", [WRONG], {}),
]


def test_any_order_of_arrival_gives_the_same_registry(app: Flask, session: Session, published: None) -> None:
    digests = set()
    for order in list(permutations(STORY))[::7]:
        for instance_id, people, facts in order:
            add_submission(session, instance_id, people, **facts)
            settle(session)
        digests.add(registry_digest(session))
        clear(session)
    assert len(digests) == 1


def clear(session: Session) -> None:
    from sync.db import Base

    session.rollback()
    kept = {"forms", "form_versions", "form_attachments", "blobs", "catalogue", "sites", "actors", "entity_lists"}
    with db.engine.execution_options(write=True).begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            if table.name not in kept:
                connection.execute(table.delete())
    session.expire_all()


def test_records_that_come_after_a_closure_wait_for_a_supervisor(session: Session, published: None) -> None:
    change_form_state(session, "passage", "1", "closed", NOW - timedelta(days=1))
    late = add_submission(session, "uuid:1", [AWA])
    in_time = add_submission(session, "uuid:2", [MOUSSA], received_at=NOW - timedelta(days=2))
    settle(session)
    assert [(one.state, one.reason) for one in (late, in_time)] == [("quarantined", "closed_form"), ("merged", None)]
    change_form_state(session, "passage", "1", "open", NOW)
    settle(session)
    assert late.state == "merged"


def test_a_late_record_of_a_closed_version_can_be_accepted(session: Session, published: None) -> None:
    change_form_state(session, "passage", "1", "closed", NOW - timedelta(days=1))
    late = add_submission(session, "uuid:1", [AWA])
    settle(session)
    accept(session, late, None, "Tablette retrouvée", NOW)
    settle(session)
    assert (late.state, names(session)) == ("merged", ["Awa"])


def test_a_record_that_kills_its_worker_is_given_up_after_five_tries(session: Session, published: None) -> None:
    deadly, healthy = add_submission(session, "uuid:1", [AWA]), add_submission(session, "uuid:2", [MOUSSA])
    session.commit()
    moment = NOW
    for _ in range(MAX_ATTEMPTS):
        claim_work(session, moment, 10)
        session.commit()
        moment += DELAYS[-1]
        healthy.processed_at = NOW
    settle(session)
    assert (deadly.state, deadly.reason) == ("quarantined", "processing_failed")


@pytest.mark.both_databases
def test_a_claim_is_taken_once_and_comes_back_alone(session: Session) -> None:
    for number in range(3):
        add_submission(session, f"uuid:{number}")
    assert len(claim_work(session, NOW, 10)) == 3
    assert claim_work(session, NOW, 10) == []
    assert len(claim_work(session, NOW + DELAYS[0], 10)) == 1


def test_answers_of_any_length_are_cut_where_a_column_ends(session: Session, published: None) -> None:
    add_submission(session, "uuid:1", [{**AWA, "prenoms": "A" * 5000}])
    settle(session)
    assert [len(name or "") for name in names(session)] == [255]


def test_families_are_found_without_reading_every_record(session: Session, published: None) -> None:
    add_submission(session, "uuid:1", [AWA])
    first = add_submission(session, "uuid:2", [MOUSSA], deprecated_id="uuid:1")
    add_submission(session, "uuid:2", [AWA], deprecated_id="uuid:1", twin_of_id=first.id)
    with watched_scans(db.engine, "submissions") as scans:
        settle(session)
    assert scans == []


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_failure_holds_no_record_while_it_waits_for_the_registry(session: Session, published: None) -> None:
    """Whoever applies verdicts holds the registry and then asks for the record: each would wait for the other."""
    row = add_submission(session, "uuid:1", [AWA])
    session.commit()
    free: list[int | None] = []

    def ask(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if "pg_advisory_xact_lock" in statement and not free:
            with Session(db.engine) as other:
                free.append(other.scalar(select(Submission.id).with_for_update(skip_locked=True)))

    event.listen(db.engine, "before_cursor_execute", ask)
    work = replace(get_bare_work(session, row.id), attempts=MAX_ATTEMPTS)
    record_failure(session, work, ValueError(), NOW)
    assert (free, row.reason) == ([row.id], "processing_failed")
