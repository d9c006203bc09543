"""Encrypted records open with their key only, and any change to them is noticed."""

import base64
import functools

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from forms.encryption import (
    EncryptionRefused,
    OpenedSubmission,
    holds_key,
    load_private_key,
    open_submission,
)
from forms.submission import Envelope, parse_submission
from tests.sealing import seal

XML = b'<data id="f05" version="3"><note>Entretien</note></data>'
MEDIA = {"photo.jpg": b"\xff\xd8 not a real picture", "empty.txt": b"", "block.bin": bytes(32)}
INSTANCE = "uuid:0b7a8f4e-4f6f-4f6e-9a55-2d8e6f0c1a2b"


@functools.cache
def new_key(number: int) -> tuple[bytes, str, rsa.RSAPrivateKey]:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public, loaded = load_private_key(pem)
    return pem, public, loaded


def envelope_of(manifest: bytes) -> Envelope:
    envelope = parse_submission(manifest).envelope
    assert envelope is not None
    return envelope


def sealed_record(key: int = 1, version: str | None = "3") -> tuple[Envelope, dict[str, bytes]]:
    manifest, files = seal(new_key(key)[2].public_key(), "f05", version, INSTANCE, XML, MEDIA)
    return envelope_of(manifest), files


def opened(envelope: Envelope, files: dict[str, bytes], *keys: int) -> OpenedSubmission:
    return open_submission(envelope, files, {new_key(number)[1]: new_key(number)[2] for number in keys})


def refusal(envelope: Envelope, files: dict[str, bytes], *keys: int) -> str:
    with pytest.raises(EncryptionRefused) as refused:
        opened(envelope, files, *keys)
    return refused.value.code


@pytest.mark.parametrize("version", ["3", None], ids=["with a version", "without a version"])
def test_a_record_opens_with_its_key(version: str | None) -> None:
    envelope, files = sealed_record(version=version)
    assert opened(envelope, files, 1) == OpenedSubmission(XML, MEDIA)


def test_after_a_rotation_the_old_key_still_opens_old_records() -> None:
    envelope, files = sealed_record(key=1)
    assert opened(envelope, files, 2, 1).xml == XML


def test_the_key_that_the_form_names_is_taken_first() -> None:
    envelope, files = sealed_record(key=1)
    keys = {new_key(number)[1]: new_key(number)[2] for number in (2, 1)}
    wrapped = "\n".join([new_key(1)[1][:64], new_key(1)[1][64:]])
    assert open_submission(envelope, files, keys, public_key=wrapped).xml == XML


@pytest.mark.parametrize("keys", [(), (2,)], ids=["no key", "another key"])
def test_without_its_key_a_record_stays_locked(keys: tuple[int, ...]) -> None:
    assert refusal(*sealed_record(), *keys) == "key_missing"


@pytest.mark.parametrize(("keys", "held"), [((2,), False), ((2, 1), True)], ids=["another key", "its key"])
def test_whether_a_record_could_be_opened_is_known_without_its_files(keys: tuple[int, ...], held: bool) -> None:
    envelope, _files = sealed_record()
    assert holds_key(envelope, {new_key(one)[1]: new_key(one)[2] for one in keys}) is held


@pytest.mark.parametrize("name", ["photo.jpg.enc", "submission.xml.enc"])
def test_a_file_that_has_not_arrived_is_named(name: str) -> None:
    envelope, files = sealed_record()
    del files[name]
    assert refusal(envelope, files, 1) == "file_missing"


@pytest.mark.parametrize("cut", [0, 1, 16, 17], ids=str)
def test_a_cut_file_is_refused(cut: int) -> None:
    envelope, files = sealed_record()
    files["photo.jpg.enc"] = files["photo.jpg.enc"][:cut]
    assert refusal(envelope, files, 1) in {"file_damaged", "signature_wrong"}


def test_a_forged_signature_is_noticed() -> None:
    envelope, files = sealed_record()
    other, _ = sealed_record()
    forged = Envelope(**{**fields(envelope), "signature": other.signature})
    assert refusal(forged, files, 1) == "signature_wrong"


def test_a_missing_signature_is_noticed() -> None:
    envelope, files = sealed_record()
    assert refusal(Envelope(**{**fields(envelope), "signature": ""}), files, 1) == "signature_missing"


@pytest.mark.parametrize("part", ["form_id", "version", "instance_id"])
def test_an_envelope_under_another_name_is_noticed(part: str) -> None:
    envelope, files = sealed_record()
    assert refusal(Envelope(**{**fields(envelope), part: "another"}), files, 1) in {"signature_wrong", "file_damaged"}


def test_files_in_another_order_are_noticed() -> None:
    envelope, files = sealed_record()
    assert refusal(Envelope(**{**fields(envelope), "media": envelope.media[::-1]}), files, 1) in {
        "signature_wrong",
        "file_damaged",
    }


@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_any_flipped_byte_is_noticed(data: st.DataObject) -> None:
    envelope, files = sealed_record()
    name = data.draw(st.sampled_from(sorted(files)))
    place = data.draw(st.integers(0, len(files[name]) - 1))
    changed = bytearray(files[name])
    changed[place] ^= data.draw(st.integers(1, 255))
    assert refusal(envelope, {**files, name: bytes(changed)}, 1) in {"signature_wrong", "file_damaged"}


@pytest.mark.parametrize("element", ["base64EncryptedKey", "encryptedXmlFile", "instanceID"])
def test_an_incomplete_envelope_is_refused(element: str) -> None:
    manifest, files = seal(new_key(1)[2].public_key(), "f05", "3", INSTANCE, XML, {})
    with pytest.raises(EncryptionRefused) as refused:
        opened(envelope_of(manifest.replace(element.encode(), b"other")), files, 1)
    assert refused.value.params == {"element": element}


def test_a_key_that_is_no_base64_is_a_missing_key() -> None:
    envelope, files = sealed_record()
    assert refusal(Envelope(**{**fields(envelope), "encrypted_key": "é"}), files, 1) == "key_missing"


def test_a_key_with_a_passphrase_needs_it() -> None:
    locked = new_key(1)[2].private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"mot de passe"),
    )
    assert load_private_key(locked, b"mot de passe")[0] == new_key(1)[1]
    for wrong in (None, b"autre"):
        with pytest.raises(EncryptionRefused, match="not an RSA private key"):
            load_private_key(locked, wrong)


def test_keys_of_another_kind_are_refused() -> None:
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for data in (pem, b"no key"):
        with pytest.raises(EncryptionRefused):
            load_private_key(data)


def test_the_public_half_is_what_a_form_carries() -> None:
    der = base64.b64decode(new_key(1)[1])
    assert serialization.load_der_public_key(der) == new_key(1)[2].public_key()


def fields(envelope: Envelope) -> dict[str, object]:
    return {name: getattr(envelope, name) for name in Envelope.__slots__}
