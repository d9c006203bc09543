"""Digests, base64 and signed text (the spec's digest, base64-decode, extract-signed)."""

import base64
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from forms.node import Node
from forms.xpath.environment import Environment
from forms.xpath.errors import CannotVerify, XPathRefused
from forms.xpath.part import Part, Scope, builder, function, scalar
from forms.xpath.syntax import Syntax, Text
from forms.xpath.values import Value, to_text

ALGORITHMS = {"MD5": "md5", "SHA1": "sha1", "SHA256": "sha256", "SHA384": "sha384", "SHA512": "sha512"}
ENCODINGS = ("HEX", "BASE64")
ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
SIGNATURE_BYTES = 64
KEY_BYTES = 32


@builder("digest", counts=lambda count: count in (2, 3))
def digest(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
    """The digest of a text, in base64 unless hex is asked for."""
    _refuse_unknown(parts)
    texts = [part.text() for part in parts]

    def evaluate(node: Node, environment: Environment) -> Value:
        text, algorithm, *encoding = [one(node, environment) for one in texts]
        return digest_text(text, algorithm, encoding[0] if encoding else "base64")

    return scalar(syntax, evaluate, "text")


def _refuse_unknown(parts: list[Part]) -> None:
    for part, known in zip(parts[1:], (ALGORITHMS, ENCODINGS), strict=False):
        if isinstance(part.syntax, Text) and part.syntax.value.upper().replace("-", "") not in known:
            raise XPathRefused("xpath_unsupported", what=part.syntax.value)


def digest_text(text: str, algorithm: str, encoding: str) -> str:
    """The digest by the names that the spec knows, in any spelling."""
    name, written = ALGORITHMS.get(algorithm.upper().replace("-", "")), encoding.upper()
    if name is None or written not in ENCODINGS:
        raise CannotVerify("cannot_use_function", name="digest")
    found = hashlib.new(name, text.encode(), usedforsecurity=False)
    return found.hexdigest() if written == "HEX" else base64.b64encode(found.digest()).decode()


@function("base64-decode", least=1, kind="text")
def base64_decode(value: Value) -> Value:
    """The text behind a base64 text; what is no UTF-8 shows as “�”."""
    return decode_base64(to_text(value)).decode(errors="replace")


def decode_base64(text: str) -> bytes:
    """Characters outside the alphabet are skipped; a length that cannot be gives nothing (JavaRosa's Base64)."""
    legal = bytes(byte for byte in text.encode() if byte in ALPHABET)
    if len(legal) % 4:
        return b""
    padding = len(legal) - len(legal.rstrip(b"="))
    decoded = base64.b64decode(legal.replace(b"=", b"A"))
    return decoded[: max(len(decoded) - padding, 0)]


@function("extract-signed", least=2, kind="text")
def extract_signed(value: Value, key: Value) -> Value:
    """The text behind an Ed25519 signature, "" unless the signature is the key's."""
    contents, public_key = decode_base64(to_text(value)), decode_base64(to_text(key))
    if len(contents) < SIGNATURE_BYTES or len(public_key) < KEY_BYTES:
        return ""
    signature, message = contents[:SIGNATURE_BYTES], contents[SIGNATURE_BYTES:]
    try:
        Ed25519PublicKey.from_public_bytes(public_key[:KEY_BYTES]).verify(signature, message)
    except (InvalidSignature, ValueError):
        return ""
    return message.decode(errors="replace")
