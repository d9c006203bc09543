"""Files of a record, sent in pieces and read back."""

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.file_removal import remove_files
from sync.models import Submission
from tests.server.rest.program import Program, problem
from tests.server.rest.samples import record
from tests.server.rest.test_submissions import at, send
from tests.server.test_file_removal import disk, erase_record, let_days_pass

PHOTO = "<photo>mango ✅.jpg</photo>"
NAME = "/attachments/mango%20%E2%9C%85.jpg"


def test_a_named_file_is_awaited_sent_and_read_back(market: Program, session: Session) -> None:
    send(market, record("a", PHOTO))
    assert market.json(at("a", "/attachments")) == [{"name": "mango ✅.jpg", "exists": False}]
    assert market.post(at("a", NAME), data=b"jpeg", content_type="image/jpeg").json == {"success": True}
    assert market.json(at("a", "/attachments")) == [{"name": "mango ✅.jpg", "exists": True}]
    assert market.get(at("a", NAME)).data == b"jpeg"
    assert session.query(Submission).one().missing_files == 0


def test_the_rest_of_a_file_is_given_to_whoever_lost_its_end(market: Program) -> None:
    send(market, record("a", PHOTO))
    market.post(at("a", NAME), data=b"0123456789")
    tag = market.get(at("a", NAME)).headers["ETag"]
    rest = market.get(at("a", NAME), headers={"Range": "bytes=4-", "If-Range": tag})
    assert (rest.status_code, rest.data) == (206, b"456789")
    other = market.get(at("a", NAME), headers={"Range": "bytes=4-", "If-Range": '"another"'})
    assert (other.status_code, other.data) == (200, b"0123456789")


def test_a_name_keeps_its_first_file(market: Program) -> None:
    send(market, record("a", PHOTO))
    market.post(at("a", NAME), data=b"jpeg")
    assert market.post(at("a", NAME), data=b"jpeg").status_code == 200
    assert problem(market.post(at("a", NAME), data=b"other")) == (409, 409.3)


def test_what_two_records_have_stays_with_the_one_when_the_other_is_erased(market: Program, session: Session) -> None:
    for one in ("a", "b"):
        send(market, record(one, PHOTO))
        market.post(at(one, NAME), data=b"jpeg")
    ids = session.scalars(select(Submission.id).order_by(Submission.id)).all()
    let_days_pass()
    erase_record(ids[0])
    remove_files(datetime.now(UTC))
    assert [market.get(at(one, NAME)).status_code for one in ("a", "b")] == [404, 200]
    assert market.get(at("b", NAME)).data == b"jpeg"
    erase_record(ids[1])
    assert remove_files(datetime.now(UTC)).files == 1
    assert disk() == {}


def test_a_file_that_the_record_does_not_name_is_refused(market: Program) -> None:
    send(market, record("a"))
    assert problem(market.post(at("a", NAME), data=b"jpeg")) == (404, 404.1)
    assert problem(market.get(at("a", NAME))) == (404, 404.1)


def test_an_edit_carries_files_forward(market: Program) -> None:
    send(market, record("a", PHOTO))
    market.post(at("a", NAME), data=b"jpeg")
    market.call("PUT", at("a"), data=record("b", PHOTO, deprecated="a"))
    assert market.json(at("a", "/versions/b/attachments")) == [{"name": "mango ✅.jpg", "exists": True}]
    assert market.get(at("a", f"/versions/a{NAME}")).data == b"jpeg"


def test_a_file_of_an_edit_takes_the_place_of_what_was_carried_forward(market: Program) -> None:
    send(market, record("a", PHOTO))
    market.post(at("a", NAME), data=b"jpeg")
    market.call("PUT", at("a"), data=record("b", PHOTO, deprecated="a"))
    assert market.post(at("a", NAME), data=b"other").status_code == 200
    assert market.get(at("a", NAME)).data == b"other"
    assert market.get(at("a", f"/versions/a{NAME}")).data == b"jpeg"
