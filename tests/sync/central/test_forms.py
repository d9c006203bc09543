"""Form versions on their way: the newest stays the newest, files come along, ours are published there once."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.extensions import attachment_store
from sync.attachments import add_blob
from sync.central.run import exchange
from sync.models import Form, FormVersion
from sync.publishing import find_newest, publish_form
from tests.sync.central.conftest import Connect
from tests.sync.central.second_server import LONG_AGO, SecondServer
from tests.sync.factory import form_file

CONFUSED = "The server's answer is not what ODK Central would answer."
VILLAGES = b"name,label\nv1,Dagana\n"


def publish(session: Session, version: str, at: datetime, media: bytes = b"") -> None:
    names = {}
    if media:
        stored = attachment_store().save(media)
        add_blob(session.connection(), stored, at)
        names = {"villages.csv": stored.sha256}
    publish_form(session, form_file(version), names, None, at)


def states(session: Session) -> dict[str, str]:
    session.rollback()
    query = select(FormVersion).join(Form).where(Form.form_id == "passage").order_by(FormVersion.version)
    return {one.version: one.state for one in session.scalars(query)}


def test_versions_come_in_their_order_with_their_files(there: SecondServer, session: Session, connect: Connect) -> None:
    there.publish("1", "2")
    there.inside(lambda inner: publish(inner, "3", LONG_AGO + timedelta(days=9), VILLAGES))
    exchange(connect())
    # Its records are welcome; no tablet is given a form that nobody here opened.
    assert states(session) == {"1": "closing", "2": "closing", "3": "closing"}
    newest = find_newest(session, "passage")
    assert newest is not None
    kept = {one.name: one.blob_sha256 for one in newest.attachments}
    assert attachment_store().read(kept["villages.csv"] or "") == VILLAGES
    assert newest.xml == form_file("3").xml


def test_what_tablets_have_stays_as_it_is(there: SecondServer, session: Session, connect: Connect) -> None:
    publish(session, "2", LONG_AGO)
    session.commit()
    there.publish("1", "2", "3")
    exchange(connect())
    assert states(session) == {"1": "closing", "2": "open", "3": "closing"}


def test_a_form_that_cannot_be_used_here_is_a_problem_that_stops_no_record(
    there: SecondServer, session: Session, connect: Connect
) -> None:
    there.publish("1")
    there.send("uuid:a")
    there.inside(lambda inner: setattr(find_newest(inner, "passage"), "xml", b"<h:html/>"))
    outcome = exchange(connect())
    assert (outcome.word, dict(outcome.counts)) == ("done", {"records_in": 1})
    assert [one["what"] for one in outcome.problems] == ["passage 1"]
    assert states(session) == {}


def test_an_older_version_that_was_missed_comes_though_the_newest_is_here(
    there: SecondServer, session: Session, connect: Connect
) -> None:
    there.publish("1", "2")
    whole = there.inside(lambda inner: spoil(inner, "1", b"<h:html/>"))
    bridge = connect()
    exchange(bridge)
    assert states(session) == {"2": "closing"}
    there.inside(lambda inner: spoil(inner, "1", whole))
    assert dict(exchange(bridge).counts) == {"forms_in": 1}
    assert states(session) == {"1": "closing", "2": "closing"}


def spoil(session: Session, version: str, xml: bytes) -> bytes:
    row = session.scalars(select(FormVersion).where(FormVersion.version == version)).one()
    before, row.xml = row.xml, xml
    return before


def test_versions_that_are_none_are_a_problem_of_their_form(
    there: SecondServer, session: Session, connect: Connect
) -> None:
    there.publish("1")
    there.send("uuid:a")
    there.says["/forms/passage/versions"] = b'[{"version": "1"}]'
    outcome = exchange(connect())
    assert (outcome.word, dict(outcome.counts)) == ("done", {"records_in": 1})
    assert outcome.problems == [{"what": "passage", "message": CONFUSED, "params": {"status": "0"}}]


def test_a_form_that_cannot_be_told_stops_no_other(there: SecondServer, session: Session, connect: Connect) -> None:
    there.publish("1")
    there.says["/forms/passage/versions"] = b"{}"
    publish(session, "2", LONG_AGO)
    publish_form(session, form_file("1", "arrivee"), {}, None, LONG_AGO)
    session.commit()
    outcome = exchange(connect(direction="push", publishes="passage, arrivee"))
    assert (outcome.word, dict(outcome.counts)) == ("done", {"forms_out": 1})
    assert [(one["what"], one["message"]) for one in outcome.problems] == [("passage", CONFUSED)]


def test_ours_is_published_there_with_its_files_once(there: SecondServer, session: Session, connect: Connect) -> None:
    publish(session, "1", LONG_AGO, VILLAGES)
    session.commit()
    bridge = connect(direction="push", publishes="passage, unknown")
    assert dict(exchange(bridge).counts) == {"forms_out": 1}
    publish(session, "2", datetime.now(UTC), VILLAGES)
    session.commit()
    assert dict(exchange(bridge).counts) == {"forms_out": 1}
    assert dict(exchange(bridge).counts) == {}
    told = there.inside(lambda inner: _describe(find_newest(inner, "passage")))
    assert told == ("2", form_file("2").xml, VILLAGES)


@pytest.mark.parametrize("body", [b"[]", b"{}", b""])
def test_an_answer_to_ours_that_is_none_is_a_problem(
    there: SecondServer, session: Session, connect: Connect, body: bytes
) -> None:
    publish(session, "1", LONG_AGO)
    session.commit()
    there.says["/projects/1/forms"] = body
    outcome = exchange(connect(direction="push", publishes="passage"))
    assert (outcome.word, [one["message"] for one in outcome.problems]) == ("done", [CONFUSED])


def _describe(version: FormVersion | None) -> tuple[str, bytes, bytes]:
    assert version is not None
    kept = {one.name: one.blob_sha256 for one in version.attachments}
    return version.version, version.xml, attachment_store().read(kept["villages.csv"] or "")
