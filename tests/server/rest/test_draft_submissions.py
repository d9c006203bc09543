"""Tests of a draft through the door of programs: kept beside the records, and never among them."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.models import Submission
from tests.server.rest.program import Program, form_path, problem
from tests.server.rest.samples import record

MARKET = form_path("market")
TESTS = f"{MARKET}/draft/submissions"
XML = {"content_type": "application/xml"}
WITH_PHOTO = "<photo>a.jpg</photo>"


def test_a_test_is_kept_apart_from_the_records(market: Program, session: Session) -> None:
    market.post(f"{MARKET}/draft")
    assert market.post(TESTS, data=record("uuid:t"), **XML).json["instanceId"] == "uuid:t"  # type: ignore[index]
    assert [one["instanceId"] for one in market.json(TESTS)] == ["uuid:t"]
    assert market.get(f"{TESTS}/uuid:t.xml").data == record("uuid:t")
    assert (market.json(f"{MARKET}/submissions"), market.json(f"{MARKET}.svc/Submissions")["value"]) == ([], [])
    assert problem(market.get(f"{MARKET}/submissions/uuid:t")) == (404, 404.1)
    assert session.scalars(select(Submission.is_draft)).all() == [True]


def test_the_same_id_may_be_a_test_and_a_record_and_each_once(market: Program) -> None:
    market.post(f"{MARKET}/draft")
    for path in (TESTS, f"{MARKET}/submissions"):
        assert market.post(path, data=record("uuid:t"), **XML).status_code == 200
        assert problem(market.post(path, data=record("uuid:t", "<fruit>kola</fruit>"), **XML)) == (409, 409.3)


def test_a_test_takes_the_files_that_it_names(market: Program) -> None:
    market.post(f"{MARKET}/draft")
    market.post(TESTS, data=record("uuid:t", WITH_PHOTO), **XML)
    assert market.json(f"{TESTS}/uuid:t/attachments") == [{"name": "a.jpg", "exists": False}]
    assert market.post(f"{TESTS}/uuid:t/attachments/a.jpg", data=b"jpeg").json == {"success": True}
    assert market.get(f"{TESTS}/uuid:t/attachments/a.jpg").data == b"jpeg"
    assert problem(market.post(f"{TESTS}/uuid:t/attachments/b.jpg", data=b"x")) == (404, 404.1)


def test_without_a_draft_there_are_no_tests(market: Program) -> None:
    assert problem(market.get(TESTS)) == (404, 404.1)
    assert problem(market.post(TESTS, data=record("uuid:t"), **XML)) == (404, 404.1)


def test_a_test_names_the_version_of_the_draft(market: Program) -> None:
    market.post(f"{MARKET}/draft")
    assert problem(market.post(TESTS, data=record("uuid:t", version="9"), **XML)) == (404, 404.6)
