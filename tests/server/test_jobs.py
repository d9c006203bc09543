"""Jobs do what is due, and what happened is written down."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from server import jobs
from server.accounts.models import LoginFailure
from server.extensions import db
from server.jobs import Job, run_if_due, run_once
from server.web.labels import LABELS
from sync.models import FilePiece, JobRun, Submission
from sync.peers import PeerDetails, add_peer, add_run
from tests.sync.entities import add_update, publish_entity_forms
from tests.sync.factory import add_submission

OLD = datetime.now(UTC) - timedelta(days=90)
HOUR = timedelta(hours=1)


def fail(_may_go_on: jobs.MayGoOn) -> jobs.Details:
    raise ValueError("Awa Ndiaye")


BROKEN = Job("broken", timedelta(seconds=1), fail)
HOURLY = Job("hourly", HOUR, lambda _may_go_on: {})


def runs(session: Session) -> list[tuple[str, str]]:
    return [(one.job, one.outcome) for one in session.scalars(select(JobRun).order_by(JobRun.id))]


@pytest.mark.both_databases
def test_once_does_all_that_is_due(app: Flask, session: Session) -> None:
    row = add_submission(session, "uuid:1")
    session.commit()
    done = run_once(app)
    session.refresh(row)
    assert (done["process"], row.state) == ({"done": 1, "failed": 0}, "quarantined")


def test_processing_that_found_nothing_leaves_no_row(app: Flask, session: Session) -> None:
    run_once(app)
    assert ("process", "done") not in runs(session)


def test_a_minute_of_processing_is_one_row(app: Flask, session: Session) -> None:
    for number in range(3):
        add_submission(session, f"uuid:{number}")
        session.commit()
        run_once(app)
    (row,) = session.scalars(select(JobRun).where(JobRun.job == "process"))
    assert row.details == {"done": 3, "failed": 0}


@pytest.mark.both_databases
def test_old_traces_are_forgotten(app: Flask, session: Session) -> None:
    session.add_all(
        [LoginFailure(at=OLD, account="a", address="b"), LoginFailure(at=datetime.now(UTC), account="a", address="b")]
    )
    session.add(JobRun(job="tidy_up", started_at=OLD, outcome="done", details={}))
    session.add(FilePiece(sha256="0" * 64, start=0, content=b"x", kept_at=OLD))
    peer = add_peer(session, "ministry", PeerDetails("https://odk.example.sn"), None, OLD)
    add_run(session, peer.id, OLD, "done", {}, [], OLD)
    session.commit()
    told = run_once(app)["tidy_up"]
    assert told == {"sessions": 0, "login_failures": 1, "runs": 1, "peer_runs": 1, "file_pieces": 1}
    assert set(told) <= set(LABELS["detail"])


def test_an_update_that_waited_in_vain_is_applied(app: Flask, session: Session) -> None:
    publish_entity_forms(session)
    add_update(session, "uuid:u", 2, on="A", values={"urgence": "2"})
    session.commit()
    assert (run_once(app)["apply_overdue_updates"], run_once(app)["apply_overdue_updates"]) == ({"applied": 1}, {})


def test_a_failing_job_is_recorded_without_its_words(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(jobs, "JOBS", (BROKEN,))
    assert run_once(app) == {"broken": {"error": "ValueError"}}
    assert runs(session) == [("broken", "failed")]
    assert "Awa" not in caplog.text


def test_the_database_is_open_after_maintenance(app: Flask, session: Session) -> None:
    assert run_once(app)["maintain_database"] == {"database": "sqlite"}
    assert db.session.scalars(select(Submission)).all() == []


def test_a_minute_of_failures_is_one_row(app: Flask, session: Session) -> None:
    for _ in range(3):
        run_if_due(BROKEN, lambda: True)
    assert runs(session) == [("broken", "failed")]


@pytest.mark.parametrize(
    ("ago", "rows"),
    [(HOUR * 2, 2), (HOUR / 2, 1), (HOUR * -90_000, 2)],
    ids=["missed while the machine was off", "ran before a restart", "the clock was ten years fast"],
)
def test_a_job_is_due_by_its_history(app: Flask, session: Session, ago: timedelta, rows: int) -> None:
    session.add(JobRun(job="hourly", started_at=datetime.now(UTC) - ago, outcome="done", details={}))
    session.commit()
    run_if_due(HOURLY, lambda: True)
    assert runs(session) == [("hourly", "done")] * rows


def test_processing_ends_between_two_batches_when_it_may_not_go_on(app: Flask, session: Session) -> None:
    row = add_submission(session, "uuid:1")
    session.commit()
    assert jobs.process_submissions(lambda: False) == {}
    session.refresh(row)
    assert row.state == "received"


def test_a_run_that_cannot_be_recorded_ends_nothing(
    app: Flask, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    session.execute(text("DROP TABLE job_runs"))
    session.commit()
    assert jobs.run_job(BROKEN) == {"error": "ValueError"}
    assert "not recorded: OperationalError" in caplog.text
