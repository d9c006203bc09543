"""POST /submission as Collect sends it, and what is kept afterwards."""

import errno
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from server.extensions import attachment_store, db
from server.file_removal import KEEP_STRAYS, Removal, note_unneeded, remove_files
from server.openrosa import uploads
from server.openrosa.routes import get_room
from sync.attachments import AttachmentStore
from sync.db import begin_write
from sync.models import Alert, Device, FormVersion, Submission
from tests.plans import watched_scans
from tests.server.openrosa.tablet import HEADERS, Tablet, message
from tests.server.test_file_removal import disk, let_days_pass
from tests.sync.factory import xml
from tests.sync.test_freed_files import erase

UPLOAD = "multipart/form-data; boundary=B"
CUT_OFF = (
    b"--B\r\nContent-Disposition: form-data; name=xml_submission_file; filename=a.xml\r\n\r\n"
    b"<data id='passage' version='1'><a/></data>"
)
NO_RECORD = b"--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--B--\r\n"
SUCCESS = "full submission upload was successful!"


def every_connection(app: Flask, pragma: str) -> None:
    """Run a pragma at the begin of every transaction of the application."""
    event.listen(db.engine, "begin", lambda connection: connection.exec_driver_sql(pragma))


def rows(session: Session) -> list[Submission]:
    session.rollback()
    session.expire_all()
    return list(session.scalars(select(Submission).order_by(Submission.id)))


def test_new_record_is_kept_byte_for_byte(tablet: Tablet, session: Session) -> None:
    sent = xml("uuid:1", [{"prenoms": "Awa", "nom": "Ndiaye"}])
    response = tablet.send(sent)
    assert (response.status_code, message(response)) == (201, SUCCESS)
    assert [(row.xml, row.state, row.site and row.site.code) for row in rows(session)] == [(sent, "received", "ROS")]


def test_record_names_its_form_version_and_sender(tablet: Tablet, session: Session) -> None:
    tablet.send(xml("uuid:1"))
    (row,) = rows(session)
    assert (row.form_version_id, row.device_id, row.collect_id) == (1, 1, "collect:abcdef0123456789")
    assert (row.user_agent or "").startswith("org.odk.collect.android/v2026.3.0")


def test_head_promises_nothing_but_the_length(tablet: Tablet) -> None:
    response = tablet.head()
    assert response.status_code == 204
    assert response.headers["X-OpenRosa-Accept-Content-Length"] == "10000000"
    assert response.headers["X-OpenRosa-Version"] == "1.0"
    assert "Location" not in response.headers


def test_answer_is_openrosa(tablet: Tablet) -> None:
    response = tablet.send(xml("uuid:1"))
    assert response.headers["X-OpenRosa-Version"] == "1.0"
    assert response.content_type == "text/xml; charset=utf-8"
    assert b'xmlns="http://openrosa.org/http/response"' in response.data


def test_lost_answer_and_second_sending_are_one_record(tablet: Tablet, session: Session) -> None:
    answers = [tablet.send(xml("uuid:1")) for _ in range(3)]
    assert [(one.status_code, message(one)) for one in answers] == [(201, SUCCESS)] * 3
    assert len(rows(session)) == 1


def test_twin_is_kept_and_told_in_the_tablets_language(tablet: Tablet, session: Session) -> None:
    tablet.send(xml("uuid:1"))
    response = tablet.send(xml("uuid:1", direction="sortie"))
    assert response.status_code == 202
    assert message(response).startswith("Reçu et conservé. Un autre envoi de même numéro")
    assert [row.reason for row in rows(session)] == [None, "twin"]


def test_english_tablet_reads_english(tablet: Tablet, session: Session) -> None:
    session.execute(update(Device).values(language="en"))
    session.commit()
    tablet.send(xml("uuid:1"))
    response = tablet.send(xml("uuid:1", direction="sortie"))
    assert message(response).startswith("Received and kept. Another record")
    assert response.headers["Content-Language"] == "en"


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"form_id": "inconnu"}, "Le formulaire inconnu n'est pas connu ici"),
        ({"version": "99"}, "Cette version du formulaire Passage n'est pas connue"),
    ],
    ids=["form", "version"],
)
def test_unknown_form_or_version_is_kept(tablet: Tablet, session: Session, facts: dict[str, Any], words: str) -> None:
    response = tablet.send(xml("uuid:1", **facts))
    assert response.status_code == 201
    assert words in message(response)
    assert [row.form_version_id for row in rows(session)] == [None]


def test_record_of_a_closed_form_is_kept(tablet: Tablet, session: Session) -> None:
    session.execute(update(FormVersion).values(state="closed"))
    session.commit()
    get_room(tablet.client.application).catalogues._kept = None
    response = tablet.send(xml("uuid:1"))
    assert (response.status_code, "est clos" in message(response)) == (201, True)
    assert len(rows(session)) == 1


def test_record_without_form_id_is_kept(tablet: Tablet, session: Session) -> None:
    assert [tablet.send(b"<data><a>1</a></data>").status_code for _ in range(2)] == [201, 201]
    assert [row.form_id for row in rows(session)] == [""]


def test_record_without_instance_id_is_one_record(tablet: Tablet, session: Session) -> None:
    sent = b'<data id="passage" version="1"><direction>entree</direction></data>'
    assert [tablet.send(sent).status_code for _ in range(2)] == [201, 201]
    assert len(rows(session)) == 1


def test_edit_and_edit_before_its_original_are_kept(tablet: Tablet, session: Session) -> None:
    answers = [tablet.send(xml("uuid:2", deprecated_id="uuid:1")), tablet.send(xml("uuid:1"))]
    assert [(one.status_code, message(one)) for one in answers] == [(201, SUCCESS)] * 2
    assert [row.deprecated_id for row in rows(session)] == ["uuid:1", None]


def test_stale_edit_is_kept_and_told(tablet: Tablet, session: Session) -> None:
    for number in (1, 2):
        tablet.send(xml(f"uuid:{number}", deprecated_id="uuid:1" if number == 2 else None))
    session.execute(update(Submission).where(Submission.id == 1).values(superseded_by_id=2))
    session.commit()
    response = tablet.send(xml("uuid:3", deprecated_id="uuid:1"))
    assert (response.status_code, "avait déjà été modifié" in message(response)) == (201, True)


def test_split_submission_is_one_record_with_its_files(tablet: Tablet, session: Session) -> None:
    sent = xml("uuid:1", photo="a.jpg")
    first = tablet.send(sent, {"b.bin": b"log"}, incomplete=True)
    last = tablet.send(sent, {"a.jpg": b"photo"})
    assert [(one.status_code, message(one)) for one in (first, last)] == [(201, SUCCESS)] * 2
    (row,) = rows(session)
    assert {one.name: attachment_store().read(one.blob_sha256 or "") for one in row.attachments} == {
        "a.jpg": b"photo",
        "b.bin": b"log",
    }


def test_a_tablet_that_sends_an_erased_record_again_is_told_that_it_is_here(tablet: Tablet, session: Session) -> None:
    """Its photograph is not kept again, and leaves the disk with the next run of the job once a day has passed."""
    sent = xml("uuid:1", photo="a.jpg"), {"a.jpg": b"jpeg"}
    tablet.send(*sent)
    erase(session, rows(session)[0].id)
    session.commit()
    assert tablet.send(*sent).status_code == 201
    (row,) = rows(session)
    assert (row.xml, row.attachments, row.missing_files) == (b"", [], 0)
    let_days_pass()
    assert remove_files(datetime.now(UTC)).files == 1


def test_missing_file_is_told(tablet: Tablet, session: Session) -> None:
    response = tablet.send(xml("uuid:1", photo="a.jpg"))
    assert message(response) == "Reçu. Fichiers pas encore arrivés : 1."
    assert rows(session)[0].missing_files == 1


def test_earlier_records_in_quarantine_are_told(tablet: Tablet, session: Session) -> None:
    tablet.send(xml("uuid:1"))
    tablet.send(xml("uuid:1", direction="sortie"))
    assert message(tablet.send(xml("uuid:2"))) == "Envois antérieurs de cette tablette à corriger : 1 (Passage)."


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "a" * 5000, "é ✅.jpg"], ids=["up", "root", "long", "odd"]
)
def test_hostile_file_name_never_reaches_the_disk(tablet: Tablet, session: Session, app: Flask, name: str) -> None:
    assert tablet.send(xml("uuid:1"), {name: b"photo"}).status_code == 201
    (row,) = rows(session)
    assert attachment_store().read(row.attachments[0].blob_sha256 or "") == b"photo"


def test_record_as_a_plain_field_is_taken(tablet: Tablet, session: Session) -> None:
    data = {"xml_submission_file": xml("uuid:1").decode()}
    response = tablet.client.post(
        f"{tablet.path}/submission", data=data, content_type="multipart/form-data", headers=HEADERS
    )
    assert (response.status_code, len(rows(session))) == (201, 1)


@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        (CUT_OFF, UPLOAD, "n'est pas arrivé en entier"),
        (b"hello", "text/plain", "n'est pas arrivé en entier"),
        (b"x", "multipart/form-data", "n'est pas arrivé en entier"),
        (NO_RECORD, UPLOAD, "manquait dans ce qui est arrivé"),
    ],
    ids=["cut off", "no multipart", "no boundary", "no record"],
)
def test_unreadable_upload_stays_on_the_tablet(
    tablet: Tablet, session: Session, body: bytes, content_type: str, words: str
) -> None:
    response = tablet.client.post(f"{tablet.path}/submission", data=body, content_type=content_type, headers=HEADERS)
    assert (response.status_code, words in message(response)) == (400, True)
    assert rows(session) == []


@pytest.mark.parametrize(
    "body",
    [b"no xml", b"<data id='passage'><a></data>", b"<!DOCTYPE d [<!ENTITY e 'x'>]><data id='passage'>&e;</data>"],
    ids=["text", "broken", "entity"],
)
def test_unreadable_xml_is_refused_but_not_lost(tablet: Tablet, session: Session, body: bytes) -> None:
    responses = [tablet.send(body) for _ in range(2)]
    assert [one.status_code for one in responses] == [400, 400]
    assert "ne peut pas être lu" in message(responses[0])
    session.rollback()
    (alert,) = session.scalars(select(Alert))
    assert (alert.kind, attachment_store().read(alert.params["sha256"])) == ("unreadable_record", body)


def test_each_record_that_nobody_can_read_is_named_and_stays(tablet: Tablet, session: Session) -> None:
    bodies = [b"no xml: the first", b"no xml: the second, of the only copy"]
    for body in bodies * 2:
        assert tablet.send(body).status_code == 400
    alerts = session.scalars(select(Alert)).all()
    assert [attachment_store().read(one.params["sha256"]) for one in alerts] == bodies
    let_days_pass(61)
    later = datetime.now(UTC) + timedelta(days=61)
    assert (note_unneeded(later), remove_files(later + KEEP_STRAYS)) == (0, Removal())
    assert set(bodies) < {path.read_bytes() for path in disk().values()}


def test_oversized_request_is_told(tablet: Tablet, app: Flask) -> None:
    room = get_room(app)
    room.settings = replace(room.settings, max_body_mb=0)
    response = tablet.send(xml("uuid:1"))
    assert (response.status_code, "dépasse la taille" in message(response)) == (413, True)


def test_oversized_xml_is_told(tablet: Tablet, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_XML", 1000)
    response = tablet.send(b"<data id='passage'>" + b" " * 1000 + b"</data>")
    assert (response.status_code, rows(session)) == (413, [])


def test_full_disk_is_507_and_keeps_no_half(tablet: Tablet, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(self: AttachmentStore, content: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(AttachmentStore, "save", no_room)
    response = tablet.send(xml("uuid:1"), {"a.jpg": b"photo"})
    assert (response.status_code, "n'a plus de place" in message(response)) == (507, True)
    assert rows(session) == []


def test_full_database_is_507(tablet: Tablet, app: Flask) -> None:
    every_connection(app, "PRAGMA max_page_count=1")  # which means: not one page more than there are
    assert tablet.send(xml("uuid:1", [{"nom": "x" * 100_000}])).status_code == 507


def test_overload_is_503_with_a_time_to_come_back(
    tablet: Tablet, app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.db._WAIT_S", 0.1)
    every_connection(app, "PRAGMA busy_timeout=50")
    begin_write(session)  # somebody writes for longer than a tablet waits
    response = tablet.send(xml("uuid:1"))
    assert (response.status_code, response.headers["Retry-After"]) == (503, "30")


def test_draft_test_record_stays_apart(client: FlaskClient, draft: Tablet, session: Session) -> None:
    response = draft.send(xml("uuid:1", version="brouillon"))
    assert (response.status_code, message(response)) == (201, SUCCESS)
    (row,) = rows(session)
    assert (row.is_draft, row.device_id, row.form_version_id is not None) == (True, None, True)


def test_no_tablet_waits_until_a_whole_table_was_read(tablet: Tablet) -> None:
    with watched_scans(db.engine, "submissions") as scans:
        tablet.send(xml("uuid:1", photo="photo.jpg"))
        tablet.send(xml("uuid:1", photo="photo.jpg"), {"photo.jpg": b"jpeg"})
        tablet.send(xml("uuid:1", direction="sortie"))
        tablet.send(xml("uuid:2", deprecated_id="uuid:1"))
    assert scans == []
