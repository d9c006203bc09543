"""What comes over from a peer: versions, files and review states, and each of them once."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from server.extensions import attachment_store
from sync.central.records import OVERLAP, _Reading
from sync.central.run import exchange, plan
from sync.heads import find_chain
from sync.models import Blob, Peer, PeerForm, PeerRecord, Submission, SubmissionSender
from sync.peers import resend_from
from sync.policy import Viewer
from sync.quarantine import reject
from sync.reviews import change_review_state, find_mark
from tests.sync.central.conftest import Connect
from tests.sync.central.second_server import SecondServer, records
from tests.sync.test_freed_files import erase

EXCHANGE = Viewer(0, "exchange")
HOUR = timedelta(hours=1)


def review(there: SecondServer, instance_id: str, state: str | None) -> None:
    def change(session: Session) -> None:
        chain = find_chain(session, EXCHANGE, "passage", instance_id)
        change_review_state(session, chain[-1], state, there.actor_id, "", datetime.now(UTC))

    there.inside(change)


def test_edits_and_files_come_later_than_their_record(there: SecondServer, session: Session, connect: Connect) -> None:
    there.publish("1")
    there.send("uuid:a", b"jpeg")
    bridge = connect()
    assert dict(exchange(bridge).counts) == {"forms_in": 1, "records_in": 1}
    there.edit("uuid:a", "uuid:b", direction="sortie")
    assert dict(exchange(bridge).counts) == {"records_in": 1}
    assert records(session, attachment_store()) == there.inside(lambda inner: records(inner, attachment_store()))
    assert session.scalars(select(PeerRecord.edits)).all() == [1]
    # Both are the peer's, for whoever asks who sent them.
    assert session.scalars(select(SubmissionSender.actor_id)).all() == [bridge.peer.actor_id] * 2


def test_a_file_that_comes_there_later_is_fetched_though_nothing_says_that_it_came(
    there: SecondServer, session: Session, connect: Connect
) -> None:
    there.publish("1")
    there.send("uuid:a", awaited="a.jpg")
    bridge = connect()
    exchange(bridge)
    there.attach("uuid:a", "a.jpg", b"jpeg")
    assert dict(exchange(bridge).counts) == {"files_in": 1}
    assert dict(exchange(bridge).counts) == {}
    session.rollback()
    assert session.scalars(select(Submission.missing_files)).one() == 0


def test_of_a_record_that_was_erased_here_no_file_is_fetched_again(
    there: SecondServer, session: Session, connect: Connect
) -> None:
    there.publish("1")
    there.send("uuid:a", b"jpeg")
    bridge = connect()
    exchange(bridge)
    row = session.scalars(select(Submission)).one()
    erase(session, row.id)
    resend_from(session, session.get_one(Peer, bridge.peer.id), datetime.now(UTC) - HOUR, None, datetime.now(UTC))
    session.commit()
    again = exchange(bridge)
    assert (dict(again.counts), again.problems) == ({"records_in": 1}, [])
    session.expire_all()
    assert (row.xml, row.attachments, session.scalars(select(Blob)).all()) == (b"", [], [])


def test_one_record_that_cannot_be_looked_up_there_stops_no_late_file(
    there: SecondServer, session: Session, connect: Connect
) -> None:
    there.publish("1")
    for one in "abc":
        there.send(f"uuid:{one}", awaited=f"{one}.jpg")
    bridge = connect()
    exchange(bridge)
    there.attach("uuid:c", "c.jpg", b"jpeg")
    there.says["/submissions/uuid:a/versions/uuid:a/attachments"] = b"{}"
    there.says["/submissions/uuid:b/versions/uuid:b/attachments"] = b"not JSON"
    for look in (plan, exchange):
        outcome = look(bridge)
        assert (outcome.word, outcome.counts["files_in"]) == ("done", 1)
        assert [one["what"] for one in outcome.problems] == ["uuid:a", "uuid:b"]
    session.rollback()
    assert session.scalars(select(Submission.instance_id).filter_by(missing_files=0)).all() == ["uuid:c"]


def test_edits_come_in_the_order_of_the_answer_whatever_its_times_say(
    there: SecondServer, session: Session, connect: Connect
) -> None:
    there.publish("1")
    there.send("uuid:a")
    there.edit("uuid:a", "uuid:c")
    there.edit("uuid:c", "uuid:b")
    at = datetime.now(UTC)
    there.inside(lambda inner: inner.execute(update(Submission).values(received_at=at)))
    there.inside(
        lambda inner: inner.execute(update(Submission).filter_by(instance_id="uuid:b").values(received_at=at - HOUR))
    )
    exchange(connect())
    newest = session.get_one(Submission, session.scalars(select(PeerRecord.submission_id)).one())
    assert newest.instance_id == "uuid:b"


def test_a_file_that_an_edit_left_out_comes_with_the_version_that_had_it(
    there: SecondServer, session: Session, connect: Connect
) -> None:
    there.publish("1")
    there.send("uuid:a", b"jpeg")
    there.edit("uuid:a", "uuid:b", photo="")
    exchange(connect())
    files = {name: files for name, (_, _, files) in records(session, attachment_store()).items()}
    assert (len(files["uuid:a"]), files["uuid:b"]) == (1, ())


def test_another_file_under_the_same_name_comes_with_the_edit_that_brought_it(
    there: SecondServer, session: Session, connect: Connect
) -> None:
    there.publish("1")
    there.send("uuid:a", b"jpeg")
    bridge = connect()
    exchange(bridge)
    there.edit("uuid:a", "uuid:b", other=b"another")
    there.edit("uuid:b", "uuid:c")
    exchange(bridge)
    assert records(session, attachment_store()) == there.inside(lambda inner: records(inner, attachment_store()))


def test_a_review_there_counts_here_until_it_is_taken_back(
    there: SecondServer, session: Session, connect: Connect
) -> None:
    there.publish("1")
    there.send("uuid:a")
    bridge = connect()
    exchange(bridge)
    said = (("approved", "accept", ""), (None, None, ""), ("rejected", "reject", ""), ("hasIssues", None, "hasIssues"))
    for state, decision, mark in said:
        review(there, "uuid:a", state)
        assert dict(exchange(bridge).counts) == {"reviews_in": 1}
        session.rollback()
        row = session.scalars(select(Submission)).one()
        assert (row.decision, find_mark(session, row.id)) == (decision, mark)


def test_a_decision_here_outlives_a_review_there(there: SecondServer, session: Session, connect: Connect) -> None:
    there.publish("1")
    there.send("uuid:a")
    bridge = connect()
    exchange(bridge)
    reject(session, session.scalars(select(Submission)).one(), None, "essai du chef de poste", datetime.now(UTC))
    session.commit()
    review(there, "uuid:a", "approved")
    exchange(bridge)
    session.rollback()
    assert session.scalars(select(Submission.decision)).one() == "reject"


def test_a_record_that_cannot_be_taken_stops_no_other_and_is_asked_for_again(
    there: SecondServer, session: Session, connect: Connect
) -> None:
    there.publish("1")
    for one in "abc":
        there.send(f"uuid:{one}")
    bridge = connect()
    break_xml(there, "uuid:b", b"<data")
    outcome = exchange(bridge)
    assert (outcome.word, outcome.counts["records_in"], len(outcome.problems)) == ("done", 2, 1)
    assert outcome.problems[0]["what"] == "uuid:b"
    break_xml(there, "uuid:b", whole(there))
    assert dict(exchange(bridge).counts) == {"records_in": 1}


def whole(there: SecondServer) -> bytes:
    body = there.inside(lambda session: session.scalars(select(Submission).filter_by(instance_id="uuid:a")).one().xml)
    return body.replace(b"uuid:a", b"uuid:b")


def break_xml(there: SecondServer, instance_id: str, xml: bytes) -> None:
    def change(session: Session) -> None:
        session.scalars(select(Submission).filter_by(instance_id=instance_id)).one().xml = xml

    there.inside(change)


def test_what_was_sent_again_from_a_date_is_a_repeat(there: SecondServer, session: Session, connect: Connect) -> None:
    there.publish("1")
    there.send("uuid:a")
    bridge = connect()
    exchange(bridge)
    peer = session.get_one(Peer, bridge.peer.id)
    assert resend_from(session, peer, datetime.now(UTC) - timedelta(days=1), None, datetime.now(UTC)) == 1
    session.commit()
    assert dict(exchange(bridge).counts) == {"records_in": 1}
    session.rollback()
    assert len(session.scalars(select(Submission)).all()) == 1


def test_only_what_is_new_is_asked_for(there: SecondServer, session: Session, connect: Connect) -> None:
    there.publish("1")
    there.send("uuid:a")
    bridge = connect()
    exchange(bridge)
    read = session.scalars(select(PeerForm)).one()
    received = there.inside(lambda inner: inner.scalars(select(Submission.received_at)).one())
    assert abs(read.read_until - received) < timedelta(milliseconds=2)
    # What lies further back than the overlap is not looked at any more.
    read.read_until = received + OVERLAP + timedelta(minutes=1)
    session.execute(PeerRecord.__table__.delete())
    session.commit()
    assert dict(exchange(bridge).counts) == {}


def test_what_was_committed_there_late_with_an_earlier_time_is_read(
    there: SecondServer, session: Session, connect: Connect
) -> None:
    there.publish("1")
    there.send("uuid:a")
    bridge = connect()
    exchange(bridge)
    read_until = session.scalars(select(PeerForm.read_until)).one()
    there.send("uuid:late")
    late = update(Submission).filter_by(instance_id="uuid:late").values(received_at=read_until - timedelta(minutes=9))
    there.inside(lambda inner: inner.execute(late))
    assert dict(exchange(bridge).counts) == {"records_in": 1}
    session.rollback()
    # Nor does what was late bring the time back that all is known from.
    assert session.scalars(select(PeerForm.read_until)).one() >= read_until


def test_reading_goes_no_further_than_the_first_failure() -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    reading = _Reading(newest=at + timedelta(hours=3), failed=[at + timedelta(hours=2), at + timedelta(hours=1)])
    assert reading.read_until() == at + timedelta(hours=1)
    assert _Reading().read_until() is None


def test_forms_that_are_not_asked_for_stay_there(there: SecondServer, session: Session, connect: Connect) -> None:
    there.publish("1")
    there.publish("1", form_id="autre")
    there.send("uuid:a")
    assert dict(exchange(connect(pulls="autre")).counts) == {"forms_in": 1}
    assert session.scalars(select(Submission)).all() == []
