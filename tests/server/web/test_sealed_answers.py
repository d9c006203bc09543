"""The page of an encrypted submission: opened for one look, by right, and closed where the key is missing."""

from pathlib import Path

from flask import current_app
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from server.keys import KeyRing, unlock_submissions
from tests.accounts import add_account, log_in
from tests.sync.test_sealing import PHOTO, RECORD, give, keys, sealed, send, settle, the_one

__all__ = ["keys"]


def look(client: FlaskClient, session: Session, role: str) -> tuple[FlaskClient, str]:
    """Somebody of that role before the page of the record."""
    user = add_account(session, role)
    row = the_one(session)
    row.site_id = user.site_id or row.site_id
    session.commit()
    return log_in(client, user), f"/submissions/{row.id}"


def page(client: FlaskClient, session: Session, role: str) -> str:
    reader, address = look(client, session, role)
    return reader.get(address).text


def fetch(client: FlaskClient, session: Session, name: str, role: str = "protection_officer") -> TestResponse:
    """The download of a file, by the name under which it came."""
    reader, address = look(client, session, role)
    [file] = [one for one in the_one(session).attachments if one.name == name]
    return reader.get(f"{address}/files/{file.id}")


def test_who_may_read_the_answers_reads_them(client: FlaskClient, session: Session, keys: Path) -> None:
    give(keys)
    send(session, sealed(), PHOTO, RECORD)
    assert "Ndiaye" in page(client, session, "protection_officer")


def test_a_key_opens_nothing_for_who_may_not(client: FlaskClient, session: Session, keys: Path) -> None:
    give(keys)
    send(session, sealed(), PHOTO, RECORD)
    assert "Ndiaye" not in page(client, session, "auditor")


def test_without_the_key_the_page_says_so(client: FlaskClient, session: Session, keys: Path) -> None:
    send(session, sealed(), PHOTO, RECORD)
    current_app.extensions["teral_keys"] = KeyRing("")
    assert "sa clé ne se trouve pas sur ce serveur" in page(client, session, "protection_officer")


def test_files_are_opened_under_the_name_that_the_answer_has(client: FlaskClient, session: Session, keys: Path) -> None:
    give(keys)
    send(session, sealed(), PHOTO, RECORD)
    reader, address = look(client, session, "protection_officer")
    [file] = [one for one in the_one(session).attachments if one.name == PHOTO]
    answer = reader.get(f"{address}/files/{file.id}")
    assert (answer.data, answer.headers["Content-Disposition"]) == (
        b"a picture",
        "attachment; filename=\"photo.jpg\"; filename*=UTF-8''photo.jpg",
    )
    assert ">photo.jpg<" in reader.get(address).text


def test_a_photograph_is_shown_in_the_clear(client: FlaskClient, session: Session, keys: Path) -> None:
    give(keys)
    send(session, sealed(picture=b"\x89PNG\r\n\x1a\n..."), PHOTO, RECORD)
    reader, address = look(client, session, "protection_officer")
    [file] = [one for one in the_one(session).attachments if one.name == PHOTO]
    assert reader.get(f"{address}/files/{file.id}/picture").mimetype == "image/png"


def test_a_key_opens_no_file_for_who_may_not(client: FlaskClient, session: Session, keys: Path) -> None:
    give(keys)
    send(session, sealed(), PHOTO, RECORD)
    assert fetch(client, session, PHOTO, "auditor").status_code == 403


def test_the_record_itself_stays_sealed_as_a_file(client: FlaskClient, session: Session, keys: Path) -> None:
    give(keys)
    parts = sealed()
    send(session, parts, PHOTO, RECORD)
    assert fetch(client, session, RECORD).data == parts[RECORD]


def test_without_the_key_a_file_is_what_came(client: FlaskClient, session: Session, keys: Path) -> None:
    parts = sealed()
    send(session, parts, PHOTO, RECORD)
    answer = fetch(client, session, PHOTO)
    assert (answer.data, PHOTO in answer.headers["Content-Disposition"]) == (parts[PHOTO], True)


def test_a_key_that_comes_later_opens_what_was_locked(client: FlaskClient, session: Session, keys: Path) -> None:
    send(session, sealed(), PHOTO, RECORD)
    assert the_one(session).state == "locked"
    give(keys)
    assert unlock_submissions() == 1
    settle(session)
    assert the_one(session).state == "merged"
    assert fetch(client, session, PHOTO).data == b"a picture"


def test_after_a_rotation_the_old_key_opens_old_records(client: FlaskClient, session: Session, keys: Path) -> None:
    """The form version that a record names says which key is meant; the new version has another."""
    give(keys)
    give(keys, 2)
    send(session, sealed(), PHOTO, RECORD)
    reader, address = look(client, session, "protection_officer")
    assert "Ndiaye" in reader.get(address).text
    (keys / "1.pem").unlink()
    assert "Ndiaye" not in reader.get(address).text
