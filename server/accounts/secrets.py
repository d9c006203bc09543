"""Random secrets of tablets: how they are made, hashed, sealed and derived. Whose they are, credentials.py knows."""

import base64
import functools
import hashlib
import os
import re
import secrets

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_TOKEN = re.compile(r"[A-Za-z0-9!$]{64}")
_NONCE_BYTES = 12


def make_token() -> str:
    """An app-user token in ODK Central's shape: 48 random bytes, 64 characters that need no escaping in a path."""
    return base64.b64encode(secrets.token_bytes(48)).decode().replace("/", "!").replace("+", "$")


def is_token(text: str) -> bool:
    return _TOKEN.fullmatch(text) is not None


def make_password() -> str:
    """A tablet's password: 160 random bits in letters and digits that are not mistaken for one another."""
    return base64.b32encode(secrets.token_bytes(20)).decode().lower()


def hash_secret(secret: str) -> str:
    """SHA-256 is enough for secrets of 128 random bits and more, and costs a microsecond instead of a login's 50 ms."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


@functools.lru_cache(maxsize=16)
def derive_key(secret_key: str, purpose: str) -> bytes:
    """A key for one purpose, so that no two uses of TERAL_SECRET_KEY can be played against each other."""
    return HKDF(SHA256(), length=32, salt=b"teral", info=purpose.encode()).derive(secret_key.encode())


def seal(secret_key: str, purpose: str, plain: bytes) -> bytes:
    """Encrypt and authenticate (AES-256-GCM)."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(derive_key(secret_key, purpose)).encrypt(nonce, plain, purpose.encode())


def unseal(secret_key: str, purpose: str, sealed: bytes) -> bytes:
    """Return the plain bytes; raise cryptography's InvalidTag when the key is another or the bytes were changed."""
    nonce, body = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    return AESGCM(derive_key(secret_key, purpose)).decrypt(nonce, body, purpose.encode())
