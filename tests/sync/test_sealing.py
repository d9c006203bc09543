"""Encrypted records from the tablet's POST to the registry: nothing but findings and records is ever in the clear."""

import functools
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.encryption import load_private_key
from forms.xform import parse_form
from server.extensions import attachment_store
from server.keys import KeyRing, unlock_submissions
from server.processing import process_pending
from sync.attachments import add_blob
from sync.intake import IncomingRecord, Sender, Upload, receive_submission
from sync.models import PersonRecord, Submission, SubmissionEvent
from sync.parts import IncomingFile
from sync.publishing import FormFile, get_definition, publish_form
from sync.quarantine import accept
from sync.sealing import read_record
from tests.sealing import seal
from tests.sync.factory import NOW, form_file, xml

AWA = {"prenoms": "Awa", "nom": "Ndiaye", "sexe": "2", "age": "31"}
WRONG = {"prenoms": "Fatou", "nom": "Sow", "sexe": "9", "age": "vingt"}
ENVELOPE, RECORD, PHOTO = "envelope", "submission.xml.enc", "photo.jpg.enc"
Parts = dict[str, bytes]


@functools.cache
def new_key(number: int) -> tuple[bytes, str, rsa.RSAPrivateKey]:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem, load_private_key(pem)[0], key


def sealed_form() -> FormFile:
    plain = form_file().xml.decode()
    element = f'<submission base64RsaPublicKey="{new_key(1)[1]}" method="post"/>'
    made = plain.replace("<bind", f"{element}<bind", 1).encode()
    return FormFile(made, parse_form(made))


@pytest.fixture
def keys(session: Session, tmp_path: Path) -> Iterator[Path]:
    """The folder of keys, empty at first, on a server where the encrypted form is published."""
    folder = tmp_path / "keys"
    folder.mkdir()
    current_app.extensions["teral_keys"] = KeyRing(str(folder))
    villages = attachment_store().save(b"name,label\nros,Rosso\n")
    add_blob(session.connection(), villages, NOW)
    publish_form(session, sealed_form(), {"villages.csv": villages.sha256}, None, NOW)
    session.commit()
    return folder


def give(folder: Path, number: int = 1) -> None:
    (folder / f"{number}.pem").write_bytes(new_key(number)[0])


def sealed(
    person: dict[str, str] = AWA, inner: str = "uuid:1", picture: bytes = b"a picture", photo: str = "photo.jpg"
) -> Parts:
    clear = xml(inner, [person], photo=photo)
    manifest, files = seal(new_key(1)[2].public_key(), "passage", "1", "uuid:1", clear, {"photo.jpg": picture})
    return {ENVELOPE: manifest, **files}


def send(session: Session, parts: Parts, *names: str) -> None:
    """Let the envelope come with these files, as one POST, and let it be judged."""
    stored = [(name, attachment_store().save(parts[name])) for name in names]
    files = tuple(IncomingFile(name, None, one) for name, one in stored)
    record = IncomingRecord("passage", "1", "uuid:1", expected_files=(PHOTO, RECORD))
    receive_submission(
        session,
        record,
        Upload(parts[ENVELOPE], sha256(parts[ENVELOPE]).hexdigest(), files=files),
        Sender(),
        datetime.now(UTC),
    )
    settle(session)


def settle(session: Session) -> None:
    session.commit()
    process_pending()
    session.expire_all()


def the_one(session: Session) -> Submission:
    return session.scalars(select(Submission)).one()


def names(session: Session) -> list[str | None]:
    return list(session.scalars(select(PersonRecord.given_names)))


@pytest.mark.both_databases
def test_an_opened_record_is_judged_and_folded_like_any_other(session: Session, keys: Path) -> None:
    give(keys)
    send(session, sealed(), PHOTO, RECORD)
    assert (the_one(session).state, names(session)) == ("merged", ["Awa"])


def test_the_record_in_the_clear_is_written_nowhere(session: Session, keys: Path, tmp_path: Path) -> None:
    give(keys)
    send(session, sealed(), PHOTO, RECORD)
    assert b"<prenoms>" not in the_one(session).xml
    held = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert [one for one in held if b"<prenoms>Awa" in one] == []


def test_a_file_that_the_envelope_does_not_hold_is_missed(session: Session, keys: Path) -> None:
    give(keys)
    send(session, sealed(photo="another.jpg"), PHOTO, RECORD)
    assert [(one.path, one.kind, one.grade) for one in the_one(session).findings] == [
        ("/data/photo", "attachment", "warning")
    ]


def test_an_opened_record_that_breaks_the_form_is_quarantined(session: Session, keys: Path) -> None:
    give(keys)
    send(session, sealed(WRONG), PHOTO, RECORD)
    kinds = {one.kind for one in the_one(session).findings if one.grade == "error"}
    assert (the_one(session).state, kinds, names(session)) == ("quarantined", {"choice", "type"}, [])


@pytest.mark.both_databases
def test_without_its_key_a_record_is_locked_until_the_key_comes(session: Session, keys: Path) -> None:
    give(keys, 2)
    send(session, sealed(), PHOTO, RECORD)
    assert (the_one(session).state, unlock_submissions()) == ("locked", 0)
    give(keys, 1)
    assert unlock_submissions() == 1
    settle(session)
    assert (the_one(session).state, names(session)) == ("merged", ["Awa"])


def test_a_locked_record_counts_for_nothing_even_when_accepted(session: Session, keys: Path) -> None:
    send(session, sealed(), PHOTO, RECORD)
    accept(session, the_one(session), None, "Vue sur papier", NOW)
    settle(session)
    assert (the_one(session).state, names(session)) == ("locked", [])


@pytest.mark.both_databases
def test_a_record_waits_for_its_last_file_and_is_judged_then(session: Session, keys: Path) -> None:
    give(keys)
    parts = sealed()
    send(session, parts, RECORD)
    assert (the_one(session).state, names(session)) == ("incomplete", [])
    send(session, parts, PHOTO)
    assert (the_one(session).state, names(session)) == ("merged", ["Awa"])
    causes = select(SubmissionEvent.details).where(SubmissionEvent.kind == "released")
    assert session.scalars(causes).all() == [{"cause": "files_came"}]


def test_a_forged_signature_is_a_finding(session: Session, keys: Path) -> None:
    give(keys)
    parts, other = sealed(), sealed(WRONG)
    mark = b"<base64EncryptedElementSignature>"
    forged = parts[ENVELOPE].partition(mark)[0] + mark + other[ENVELOPE].partition(mark)[2]
    send(session, {**parts, ENVELOPE: forged}, PHOTO, RECORD)
    assert (the_one(session).state, [one.code for one in the_one(session).findings]) == (
        "quarantined",
        ["signature_wrong"],
    )


def test_a_damaged_file_is_a_finding(session: Session, keys: Path) -> None:
    give(keys)
    send(session, {**sealed(), PHOTO: b"cut"}, PHOTO, RECORD)
    [finding] = the_one(session).findings
    assert (finding.code, finding.params) == ("file_damaged", {"file": PHOTO})


def test_a_record_under_another_identifier_than_its_envelope_is_not_believed(session: Session, keys: Path) -> None:
    give(keys)
    send(session, sealed(inner="uuid:2"), PHOTO, RECORD)
    assert [one.code for one in the_one(session).findings] == ["sealed_instance_differs"]


def test_what_is_no_record_inside_cannot_be_read(session: Session, keys: Path) -> None:
    give(keys)
    manifest, files = seal(new_key(1)[2].public_key(), "passage", "1", "uuid:1", b"<data", {"photo.jpg": b""})
    send(session, {ENVELOPE: manifest, **files}, PHOTO, RECORD)
    assert (the_one(session).state, the_one(session).reason) == ("quarantined", "unreadable")


def test_one_look_at_the_answers_opens_the_record_again(session: Session, keys: Path) -> None:
    give(keys)
    send(session, sealed(), PHOTO, RECORD)
    row = the_one(session)
    assert row.form_version is not None
    ring: KeyRing = current_app.extensions["teral_keys"]
    seen = read_record(row, get_definition(session, row.form_version), attachment_store(), ring.read())
    assert seen.root.findtext("personnes/prenoms") == "Awa"
