"""Records that somebody deletes at a peer and takes back: nothing there says when."""

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from sync.central.run import exchange
from sync.models import PeerForm, Submission
from tests.sync.central.conftest import Connect
from tests.sync.central.second_server import LONG_AGO, SecondServer

BIN = "deletedAt+ne+null"
EMPTY = b'{"value": []}'


def send_long_ago(there: SecondServer, instance_id: str) -> None:
    there.send(instance_id)
    old = update(Submission).filter_by(instance_id=instance_id).values(received_at=LONG_AGO)
    there.inside(lambda inner: inner.execute(old))


def test_what_comes_out_of_the_bin_is_read(there: SecondServer, session: Session, connect: Connect) -> None:
    there.publish("1")
    there.send("uuid:b")
    there.says[BIN] = b'{"value": [{"__id": "uuid:a"}, {"__id": "uuid:gone"}]}'
    bridge = connect()
    assert exchange(bridge).counts["records_in"] == 1
    assert session.scalars(select(PeerForm.binned)).one() == ["uuid:a", "uuid:gone"]
    there.says[BIN] = EMPTY
    send_long_ago(there, "uuid:a")
    assert dict(exchange(bridge).counts) == {"records_in": 1}
    assert dict(exchange(bridge).counts) == {}


def test_a_restored_record_that_cannot_be_taken_is_asked_for_again(
    there: SecondServer, session: Session, connect: Connect
) -> None:
    there.publish("1")
    there.send("uuid:b")
    there.says[BIN] = b'{"value": [{"__id": "uuid:a"}]}'
    bridge = connect()
    exchange(bridge)
    send_long_ago(there, "uuid:a")
    there.says |= {BIN: EMPTY, "/versions/uuid:a.xml": b"<data"}
    assert [one["what"] for one in exchange(bridge).problems] == ["uuid:a"]
    del there.says["/versions/uuid:a.xml"]
    assert dict(exchange(bridge).counts) == {"records_in": 1}


def test_a_server_that_knows_no_bin_is_read_all_the_same(
    there: SecondServer, session: Session, connect: Connect
) -> None:
    there.publish("1")
    there.send("uuid:a")
    there.says[BIN] = Response(b'{"code": 501.5}', 501, mimetype="application/json")
    assert (exchange(connect()).problems, len(session.scalars(select(Submission)).all())) == ([], 1)


@pytest.mark.parametrize("body", [b"[]", b'{"value": [{"__id": 7}]}'])
def test_a_bin_that_is_none_is_a_problem_of_its_form(
    there: SecondServer, session: Session, connect: Connect, body: bytes
) -> None:
    there.publish("1")
    there.says[BIN] = body
    assert [one["what"] for one in exchange(connect()).problems] == ["passage"]
