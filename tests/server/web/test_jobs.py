"""The page of background jobs: what ran, how it ended, and whether anybody works at all."""

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from sync.models import JobLease, JobRun
from tests.accounts import add_account, log_in

NOW = datetime.now(UTC)


@pytest.fixture
def auditor(client: FlaskClient, session: Session) -> FlaskClient:
    return log_in(client, add_account(session, "auditor", language="en"))


def add(session: Session, *rows: object) -> None:
    session.add_all(rows)
    session.commit()


def run(job: str, outcome: str = "done", **details: int) -> JobRun:
    return JobRun(job=job, started_at=NOW, finished_at=NOW + timedelta(seconds=1.5), outcome=outcome, details=details)


def test_a_run_is_told_in_words(auditor: FlaskClient, session: Session) -> None:
    add(session, run("process", done=6, failed=1))
    page = auditor.get("/jobs/").text
    assert "Judge and merge records" in page
    assert "1.50&nbsp;s" in page
    assert "done: 6, failed: 1" in page


def test_the_list_is_narrowed_to_one_job(auditor: FlaskClient, session: Session) -> None:
    add(session, run("process"), run("tidy_up"))
    page = auditor.get("/jobs/?job=tidy_up").text
    assert ("Forget old logins and runs" in page, "Judge and merge records" in page) == (True, False)


@pytest.mark.parametrize(
    ("until", "words"),
    [(timedelta(seconds=9), "The job process host:1 works."), (timedelta(seconds=-60), "No job process has worked")],
)
def test_the_page_says_whether_somebody_works(
    auditor: FlaskClient, session: Session, until: timedelta, words: str
) -> None:
    add(session, JobLease(name="jobs", holder="host:1", expires_at=datetime.now(UTC) + until))
    assert words in auditor.get("/jobs/").text


REPORT = {
    "model": "0123456789abcdef", "records": 40, "persons": 31, "joined": 2, "parted": 1, "questions": 7,
    "overlooked": 0, "crowded": 3, "left_out": 2, "most_common": 100,
    "calibration": [{"from_bits": 8, "pairs": 5, "expected": 0.998, "observed": 0.8}],
    "fairness": [{"kind": "sex", "value": "2", "records": 21, "linked": 0.5, "load": 0.25, "labels": 5,
                  "precision": 0.8, "recall": None}],
}  # fmt: skip


def test_a_linkage_run_has_a_report(auditor: FlaskClient, session: Session) -> None:
    one, other = (
        JobRun(
            job="link_anew", started_at=NOW, finished_at=NOW, outcome="done", details={"joined": 2, "report": REPORT}
        ),
        run("tidy_up"),
    )
    add(session, one, other)
    listed = auditor.get("/jobs/").text
    assert (f"/jobs/{one.id}/report" in listed, f"/jobs/{other.id}/report" in listed) == (True, False)
    assert "0123456789abcdef" not in listed
    page = auditor.get(f"/jobs/{one.id}/report").text
    assert "<td>1.00</td><td>0.80</td>" in page
    assert "3 keys have outgrown the model" in page
    assert "2 keys were not looked up in this run, as more than 100 records share each" in page
    assert "<td>0.50</td><td>0.25</td><td>5</td><td>0.80</td><td>–</td>" in page
    assert auditor.get(f"/jobs/{other.id}/report").status_code == 404
