"""The page of an encrypted submission: opened for one look, by right, and closed where the key is missing."""

from pathlib import Path

from flask import current_app
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from server.keys import KeyRing
from tests.accounts import add_account, log_in
from tests.sync.test_sealing import PHOTO, RECORD, give, keys, sealed, send, the_one

__all__ = ["keys"]


def page(client: FlaskClient, session: Session, role: str) -> str:
    user = add_account(session, role)
    row = the_one(session)
    row.site_id = user.site_id or row.site_id
    session.commit()
    return log_in(client, user).get(f"/submissions/{row.id}").text


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
