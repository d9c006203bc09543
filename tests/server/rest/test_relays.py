"""What a relay's account may say, and what is said to others."""

import hashlib
from datetime import UTC, datetime
from io import BytesIO

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.models import User
from sync.awaited_files import await_files
from sync.models import RelayedDevice, RelayedRecord, Submission
from sync.relaying.enrolment import enrol_relay, place_sites
from sync.relaying.lines import HeadLine, RelayLine, RelayRefused, SiteLine, parse_lines, receipt_for, write_line
from sync.relaying.pieces import PIECE
from tests.accounts import add_account, add_site, log_in
from tests.server.rest.program import Program, problem
from tests.sync.factory import NOW, add_device, add_submission, xml
from tests.sync.relaying.test_lines import LINES, RECORD

SEND = "projects/1/forms/passage/submissions"


@pytest.fixture
def relay(client: FlaskClient, session: Session) -> Program:
    """The account of the relay at Rosso, whose number is 1."""
    site = add_site(session)
    user = add_account(session, "relay", site)
    place_sites(session, enrol_relay(session, site, user.actor_id, NOW), [site], NOW)
    session.commit()
    return Program(client, session.get_one(User, user.id))


def tell(relay: Program, *lines: str) -> dict[str, object]:
    answer = relay.post("projects/1/relay", json={"lines": list(lines)})
    assert answer.status_code == 200, answer.text
    return dict(answer.json or {})


def test_a_record_is_under_its_tablet_and_its_time_at_the_relay_is_known(
    relay: Program, client: FlaskClient, session: Session
) -> None:
    body = xml("uuid:1")
    sha256 = hashlib.sha256(body).hexdigest()
    line = write_line(RECORD).replace("0" * 64, sha256).replace("uuid:é", "uuid:1").replace('"ROS"', '"ROSSO"')
    told = tell(relay, write_line(LINES[4]).replace('"ROS"', '"ROSSO"'), line)
    assert told["records"] == [sha256]
    assert relay.post(SEND, data=body, content_type="application/xml").status_code == 200
    assert relay.post(SEND, data=body, content_type="application/xml").status_code == 200
    row = session.scalars(select(Submission)).one()
    assert (row.device.name if row.device else None, row.xml) == ("ROS-1", body)
    relayed = session.scalars(select(RelayedRecord)).one()
    assert (relayed.received_at, relayed.submission_id) == (NOW, row.id)
    assert tell(relay, line)["files"] == {"1" * 64: 0}
    reader = add_account(session, "national_supervisor", language="en")
    page = log_in(client, reader).get(f"/submissions/{row.id}").text
    assert "At the relay before" in page


def test_a_record_that_nobody_told_of_is_kept_all_the_same(relay: Program, session: Session) -> None:
    """The tablet forgot it long ago: a twin, an unknown form, an edit before its original, nothing is refused."""
    for body in (xml("uuid:1"), xml("uuid:1", direction="sortie"), xml("uuid:3", deprecated_id="uuid:2")):
        assert relay.post(SEND, data=body, content_type="application/xml").status_code == 200
    rows = session.scalars(select(Submission).order_by(Submission.id)).all()
    assert [(one.instance_id, one.twin_of_id is not None) for one in rows] == [
        ("uuid:1", False), ("uuid:1", True), ("uuid:3", False)
    ]  # fmt: skip


def test_a_mistaken_address_costs_no_record(relay: Program, session: Session) -> None:
    answer = relay.post(SEND.replace("passage", "elsewhere"), data=xml("uuid:1"), content_type="application/xml")
    assert answer.status_code == 200
    assert session.scalars(select(Submission.form_id)).one() == "passage"


def test_a_tablet_of_a_name_that_is_taken_gets_the_relays_beside_it(relay: Program, session: Session) -> None:
    add_device(session, add_site(session), "ROS-1")
    session.commit()
    tell(relay, write_line(LINES[4]))
    assert session.scalars(select(RelayedDevice)).one().device.name == "ROS-1 (ROSSO)"


def test_news_come_with_the_relays_own_line_until_they_are_confirmed(relay: Program) -> None:
    post = write_line(RelayLine(datetime.now(UTC), 1, 0, None))
    news = parse_lines(tell(relay, post)["lines"])  # type: ignore[arg-type]
    assert [type(one) for one in news] == [HeadLine, SiteLine]
    left = tell(relay, post, *(write_line(receipt_for(one)) for one in news))["lines"]
    assert [type(one) for one in parse_lines(left)] == [HeadLine]  # type: ignore[arg-type]


def test_a_relay_under_another_number_is_refused(relay: Program) -> None:
    answer = relay.post("projects/1/relay", json={"lines": [write_line(RelayLine(NOW, 2, 0, None))]})
    assert problem(answer) == (400, 400.8)


@pytest.mark.parametrize("lines", [["{}"], [""], [1], "x", None])
def test_what_is_no_line_is_refused(relay: Program, lines: object) -> None:
    assert relay.post("projects/1/relay", json={"lines": lines}).status_code == 400


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("x?start=0&size=1", b"x", 404),
        (f"{'0' * 64}?start=0", b"x", 400),
        (f"{'0' * 64}?size=1", b"x", 400),
        (f"{'0' * 64}?start=1&size=2", b"x", 400),
    ],
)
def test_a_piece_that_cannot_be_used_is_refused(relay: Program, path: str, body: bytes, status: int) -> None:
    assert relay.post(f"projects/1/relay/files/{path}", data=body).status_code == status


@pytest.mark.parametrize("length_is_told", [True, False])
@pytest.mark.parametrize(("length", "answered"), [(PIECE, (200, None)), (PIECE + 1, (400, 400.36))])
def test_a_piece_is_no_longer_than_a_break_may_cost(
    relay: Program, session: Session, length: int, answered: tuple[int, float | None], length_is_told: bool
) -> None:
    await_files(session, add_submission(session, "uuid:1").id, ["0" * 64])
    session.commit()
    given = {"data": bytes(length)} if length_is_told else {
        "input_stream": BytesIO(bytes(length)), "environ_overrides": {"wsgi.input_terminated": True},
    }  # fmt: skip
    answer = relay.post(f"projects/1/relay/files/{'0' * 64}?start=0&size=999999", **given)
    assert (answer.status_code, (answer.json or {}).get("code")) == answered


def test_an_account_without_a_relay_is_told_so(client: FlaskClient, session: Session) -> None:
    program = Program(client, add_account(session, "relay", add_site(session)))
    assert problem(program.post("projects/1/relay", json={"lines": []})) == (400, 400.8)


def test_a_site_has_one_relay(relay: Program, session: Session) -> None:
    with pytest.raises(RelayRefused, match="already"):
        enrol_relay(session, add_site(session), relay.actor_id, NOW)
