"""An encryptor of our own for tests: the tablet's side of ODK's encryption, written from the specification alone.

It shares no code with forms/encryption.py and no high-level primitive: CFB and OAEP are spelt out over raw AES blocks
and modular exponentiation, so that a mistake cannot cancel itself out.
"""

import base64
import hashlib
import os
from collections.abc import Mapping
from xml.sax.saxutils import quoteattr

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def seal(
    public_key: RSAPublicKey,
    form_id: str,
    version: str | None,
    instance_id: str,
    xml: bytes,
    media: Mapping[str, bytes],
) -> tuple[bytes, dict[str, bytes]]:
    """Encrypt a record as Collect does at finalisation; gives the manifest and the files that travel with it."""
    key = os.urandom(32)
    seed = bytearray(hashlib.md5(instance_id.encode("utf-8") + key).digest())
    plain = [*media.items(), ("submission.xml", xml)]
    sealed: dict[str, bytes] = {}
    lines = [form_id] + ([version] if version is not None else [])
    wrapped = base64.b64encode(_rsa_oaep(public_key, key)).decode()
    lines += [wrapped, instance_id]
    for number, (name, data) in enumerate(plain):
        seed[number % 16] = (seed[number % 16] + 1) & 0xFF
        sealed[name + ".enc"] = _cfb(key, bytes(seed), data)
        lines.append(f"{name}::{hashlib.md5(data).hexdigest()}")
    digest = hashlib.md5(("\n".join(lines) + "\n").encode()).digest()
    signature = base64.b64encode(_rsa_oaep(public_key, digest)).decode()
    return _manifest(form_id, version, instance_id, wrapped, signature, list(media)), sealed


def _manifest(form_id: str, version: str | None, instance_id: str, key: str, signature: str, media: list[str]) -> bytes:
    files = "".join(f"<media><file>{name}.enc</file></media>" for name in media)
    attribute = "" if version is None else f" version={quoteattr(version)}"
    return (
        f'<data xmlns="http://www.opendatakit.org/xforms/encrypted" encrypted="yes" id={quoteattr(form_id)}{attribute}>'
        f"<base64EncryptedKey>{key}</base64EncryptedKey>"
        f'<orx:meta xmlns:orx="http://openrosa.org/xforms"><orx:instanceID>{instance_id}</orx:instanceID></orx:meta>'
        f"{files}<encryptedXmlFile>submission.xml.enc</encryptedXmlFile>"
        f"<base64EncryptedElementSignature>{signature}</base64EncryptedElementSignature></data>"
    ).encode()


def _cfb(key: bytes, vector: bytes, data: bytes) -> bytes:
    fill = 16 - len(data) % 16
    data += bytes([fill]) * fill
    block = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    out, previous = bytearray(), vector
    for start in range(0, len(data), 16):
        previous = bytes(a ^ b for a, b in zip(data[start : start + 16], block.update(previous), strict=True))
        out += previous
    return bytes(out)


def _rsa_oaep(public_key: RSAPublicKey, message: bytes) -> bytes:
    """RFC 8017, 7.1.1, with SHA-256 as hash and in MGF1 and an empty label."""
    size, numbers = public_key.key_size // 8, public_key.public_numbers()
    block = hashlib.sha256(b"").digest() + bytes(size - len(message) - 66) + b"\x01" + message
    seed = os.urandom(32)
    masked = _xor(block, _mgf1(seed, len(block)))
    padded = b"\x00" + _xor(seed, _mgf1(masked, 32)) + masked
    return pow(int.from_bytes(padded), numbers.e, numbers.n).to_bytes(size)


def _mgf1(seed: bytes, length: int) -> bytes:
    return b"".join(hashlib.sha256(seed + count.to_bytes(4)).digest() for count in range(length // 32 + 1))[:length]


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
