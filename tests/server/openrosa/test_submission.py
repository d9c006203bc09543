"""POST /submission as Collect sends it, and what is kept afterwards."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.models import Submission
from tests.server.openrosa.tablet import Tablet, message
from tests.sync.factory import xml

SUCCESS = "full submission upload was successful!"


def rows(session: Session) -> list[Submission]:
    session.rollback()
    return list(session.scalars(select(Submission).order_by(Submission.id)))


def test_new_record_is_kept_byte_for_byte(tablet: Tablet, session: Session) -> None:
    sent = xml("uuid:1", [{"prenoms": "Awa", "nom": "Ndiaye"}])
    response = tablet.send(sent)
    assert (response.status_code, message(response)) == (201, SUCCESS)
    assert [(row.xml, row.state, row.site.code) for row in rows(session)] == [(sent, "received", "ROS")]


def test_head_promises_nothing_but_the_length(tablet: Tablet) -> None:
    response = tablet.head()
    assert response.status_code == 204
    assert response.headers["X-OpenRosa-Accept-Content-Length"] == "10000000"
    assert "Location" not in response.headers


def test_file_that_the_answers_name_is_kept_with_the_record(tablet: Tablet, session: Session) -> None:
    response = tablet.send(xml("uuid:1", photo="a.jpg"), {"a.jpg": b"a picture"})
    [row] = rows(session)
    assert response.status_code == 201
    assert (row.missing_files, [one.name for one in row.attachments if one.blob_sha256]) == (0, ["a.jpg"])
