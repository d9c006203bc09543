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


def test_a_linkage_run_leads_to_its_report(auditor: FlaskClient, session: Session) -> None:
    told = {"joined": 2, "link_reports": {"0123456789abcdef": 7}}
    add(session, JobRun(job="link_anew", started_at=NOW, finished_at=NOW, outcome="done", details=told), run("tidy_up"))
    listed = auditor.get("/jobs/").text
    assert listed.count("/link-models/0123456789abcdef/reports/7") == 1
    assert "link_reports" not in listed
