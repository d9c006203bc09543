"""Opens ODK-encrypted submissions and checks their signature (ODK XForms specification, "Encryption").

Keys come from the caller, who keeps them outside the database. The signature is an MD5 encrypted with the form's
public key: it proves that the files belong together and are whole, not who made them.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256

from forms.errors import FormsError
from forms.submission import Envelope

SUFFIX = ".enc"
# Keys by the base64 of their public half, which is what a form version carries as base64RsaPublicKey.
PrivateKeys = Mapping[str, RSAPrivateKey]


class EncryptionRefused(FormsError):
    """An encrypted record that cannot be opened. `key_missing` may be cured later; the others cannot."""


@dataclass(frozen=True, slots=True)
class OpenedSubmission:
    """The record in the clear, and its files under their names in the answers."""

    xml: bytes
    files: dict[str, bytes]


def load_private_key(pem: bytes, passphrase: bytes | None = None) -> tuple[str, RSAPrivateKey]:
    """Read one PEM key and give it with the base64 of its public half; raises EncryptionRefused(key_unreadable)."""
    try:
        key = serialization.load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise EncryptionRefused("key_unreadable") from error
    if not isinstance(key, RSAPrivateKey):
        raise EncryptionRefused("key_unreadable")
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(public).decode(), key


def open_submission(
    envelope: Envelope, files: Mapping[str, bytes], keys: PrivateKeys, public_key: str | None = None
) -> OpenedSubmission:
    """Decrypt a record and its files and check their signature.

    `public_key` is the one in the form version that the record names; without it every key is tried. Raises
    EncryptionRefused: key_missing while no key fits, file_missing while a file is awaited, otherwise for good.
    """
    _refuse_incomplete(envelope)
    missing = next((name for name in envelope.files if name not in files), None)
    if missing is not None:
        raise EncryptionRefused("file_missing", file=missing)
    private_key, record_key = _find_key(envelope, keys, public_key)
    plain = dict(_decrypt_files(envelope, files, record_key))
    _check_signature(envelope, plain, private_key)
    return OpenedSubmission(plain.pop(name_in_clear(envelope.xml_file)), plain)


def holds_key(envelope: Envelope, keys: PrivateKeys, public_key: str | None = None) -> bool:
    """Whether one of the keys opens the record."""
    try:
        return bool(_find_key(envelope, keys, public_key))
    except EncryptionRefused:
        return False


def _refuse_incomplete(envelope: Envelope) -> None:
    needed = {
        "instanceID": envelope.instance_id,
        "base64EncryptedKey": envelope.encrypted_key,
        "encryptedXmlFile": envelope.xml_file,
    }
    for element, text in needed.items():
        if not text:
            raise EncryptionRefused("envelope_incomplete", element=element)


def _find_key(envelope: Envelope, keys: PrivateKeys, public_key: str | None) -> tuple[RSAPrivateKey, bytes]:
    named = keys.get("".join((public_key or "").split()))
    candidates = [named] if named else list(keys.values())
    for candidate in candidates:
        record_key = _decrypt_rsa(candidate, envelope.encrypted_key)
        if record_key is not None and len(record_key) == AES256.key_size // 8:
            return candidate, record_key
    raise EncryptionRefused("key_missing")


def _decrypt_rsa(key: RSAPrivateKey, text: str) -> bytes | None:
    """RSA/NONE/OAEPWithSHA256AndMGF1Padding as Collect's provider means it: SHA-256 in both places."""
    try:
        return key.decrypt(base64.b64decode(text), OAEP(MGF1(hashes.SHA256()), hashes.SHA256(), None))
    except (ValueError, binascii.Error):
        return None


def _decrypt_files(envelope: Envelope, files: Mapping[str, bytes], key: bytes) -> Iterator[tuple[str, bytes]]:
    vectors = _initialization_vectors(envelope.instance_id, key)
    for name, vector in zip(envelope.files, vectors, strict=False):
        yield name_in_clear(name), _decrypt_file(name, files[name], key, vector)


def _initialization_vectors(instance_id: str, key: bytes) -> Iterator[bytes]:
    """One vector a file: the seed's bytes are incremented in turn ("Initialization Vector")."""
    seed = bytearray(hashlib.md5(instance_id.encode() + key, usedforsecurity=False).digest())
    counter = 0
    while True:
        index = counter % len(seed)
        seed[index] = (seed[index] + 1) % 256
        counter += 1
        yield bytes(seed)


def _decrypt_file(name: str, data: bytes, key: bytes, vector: bytes) -> bytes:
    """AES/CFB/PKCS5Padding of Java, which means PKCS#7 over 16-byte blocks ("Padding")."""
    decryptor = Cipher(AES256(key), CFB(vector)).decryptor()
    unpadder = padding.PKCS7(AES256.block_size).unpadder()
    try:
        return unpadder.update(decryptor.update(data) + decryptor.finalize()) + unpadder.finalize()
    except ValueError as error:
        raise EncryptionRefused("file_damaged", file=name) from error


def _check_signature(envelope: Envelope, plain: Mapping[str, bytes], key: RSAPrivateKey) -> None:
    if not envelope.signature:
        raise EncryptionRefused("signature_missing")
    signed = _decrypt_rsa(key, envelope.signature)
    if signed != hashlib.md5(_signature_source(envelope, plain), usedforsecurity=False).digest():
        raise EncryptionRefused("signature_wrong")


def _signature_source(envelope: Envelope, plain: Mapping[str, bytes]) -> bytes:
    names = [name_in_clear(name) for name in envelope.files]
    digests = [f"{name}::{hashlib.md5(plain[name], usedforsecurity=False).hexdigest()}" for name in names]
    version = [] if envelope.version is None else [envelope.version]
    lines = [envelope.form_id, *version, envelope.encrypted_key, envelope.instance_id, *digests]
    return "".join(f"{line}\n" for line in lines).encode()


def name_in_clear(name: str) -> str:
    """The name that a sealed file has in the answers; any other name as it is."""
    return name.removesuffix(SUFFIX)
