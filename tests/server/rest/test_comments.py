"""Comments through the door of programs; the page shows the same rows."""

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests.accounts import add_account, log_in
from tests.server.rest.program import Program, problem
from tests.server.rest.samples import record
from tests.server.rest.test_submissions import at, send


def test_a_comment_stays_with_the_record_through_edits(market: Program) -> None:
    send(market, record("a"))
    made = market.post(at("a", "/comments"), json={"body": " Count again. "}).json
    assert (made["body"], made["actorId"]) == ("Count again.", market.actor_id)
    market.call("PUT", at("a"), data=record("b", deprecated="a"))
    market.post(at("b", "/comments"), json={"body": "Counted."})
    assert [one["body"] for one in market.json(at("a", "/comments"))] == ["Counted.", "Count again."]


def test_a_comment_needs_words(market: Program) -> None:
    send(market, record("a"))
    assert problem(market.post(at("a", "/comments"), json={"body": " "})) == (400, 400.8)
    assert problem(market.post(at("a", "/comments"), json={})) == (400, 400.2)


def test_the_page_shows_what_programs_said_and_programs_read_what_people_said(
    market: Program, client: FlaskClient, session: Session
) -> None:
    send(market, record("a"))
    market.post(at("a", "/comments"), json={"body": "Count again."})
    browser = log_in(client, add_account(session, "national_supervisor"))
    assert "Count again." in browser.get("/submissions/1").text
    browser.post("/submissions/1/comments", data={"body": "Counted."})
    browser.post("/submissions/1/mark", data={"mark": "hasIssues"})
    assert [one["body"] for one in market.json(at("a", "/comments"))] == ["Counted.", "Count again."]
    assert market.json(at("a"))["reviewState"] == "hasIssues"
