"""Comments and marks on the page of a record."""

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.models import SubmissionComment
from tests.accounts import add_account, log_in
from tests.seed import seed


def test_a_comment_is_shown_with_its_author(client: FlaskClient, session: Session) -> None:
    seeded = seed(session)
    browser = log_in(client, add_account(session, "protection_officer", seeded.site))
    answer = browser.post("/submissions/1/comments", data={"body": "Rappeler <demain>"}, follow_redirects=True)
    assert "Rappeler &lt;demain&gt;" in answer.text
    assert "protection_officer.dkr-c@teral.test" in answer.text


def test_an_empty_comment_is_refused_and_nothing_is_kept(client: FlaskClient, session: Session) -> None:
    seed(session)
    browser = log_in(client, add_account(session, "national_supervisor"))
    assert browser.post("/submissions/1/comments", data={"body": " "}).status_code == 422
    assert session.scalar(select(SubmissionComment)) is None


def test_an_unknown_mark_is_refused(client: FlaskClient, session: Session) -> None:
    seed(session)
    browser = log_in(client, add_account(session, "national_supervisor"))
    assert browser.post("/submissions/1/mark", data={"mark": "lovely"}).status_code == 422
    assert browser.post("/submissions/1/mark", data={"mark": "edited"}).status_code == 302
