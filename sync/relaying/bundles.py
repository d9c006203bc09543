"""Bundles: files on a USB key, sealed for one server and signed by another. What is inside is not known here.

libsodium by PyNaCl. A bundle has a key of its own, sealed for the recipient; the sender signs it and everything before
the content. The content is a secret stream: no part of it can be changed, left out, moved or cut off unnoticed.
"""

from base64 import b64decode, b64encode
from collections.abc import Collection
from typing import IO

from nacl import bindings as sodium
from nacl.exceptions import CryptoError
from nacl.public import SealedBox
from nacl.signing import SigningKey, VerifyKey
from nacl.utils import random

from forms.errors import N_, FormsError

MAGIC = b"teral-bundle-1\n"
HEADER = sodium.crypto_secretstream_xchacha20poly1305_HEADERBYTES
MORE = sodium.crypto_secretstream_xchacha20poly1305_ABYTES
MESSAGE = sodium.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
FINAL = sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL
_KEY = 32
_SEALED = _KEY + 48  # what a sealed box adds
_SIGNED = len(MAGIC) + 2 * _KEY + _SEALED + HEADER
_SIGNATURE = 64
_CHUNK = 64 * 1024
_DAMAGE = (CryptoError, RuntimeError, ValueError, TypeError)


class BundleRefused(FormsError):
    """A bundle of which nothing is taken in."""

    messages = {
        "bundle_key": N_("This is no key for bundles."),
        "bundle_kind": N_("This file is no bundle of a relay or its centre."),
        "bundle_foreign": N_("This bundle is for another server."),
        "bundle_sender": N_("This bundle was made by a server that is not known here."),
        "bundle_damaged": N_("This bundle is damaged or incomplete. Nothing of it was taken in: copy it anew."),
    }


def make_key() -> str:
    """A fresh private key, as text for a file that nobody else may read."""
    return b64encode(bytes(SigningKey.generate())).decode()


def public_key(key: str) -> str:
    """The public key that belongs to a private one: others need it to seal for it, and to believe what it signed."""
    return b64encode(bytes(_read_key(key).verify_key)).decode()


def check_public_key(key: str) -> None:
    """Raise BundleRefused for what is no public key."""
    _read_public(key)


def seal_bundle(source: IO[bytes], target: IO[bytes], key: str, recipient: str) -> None:
    """Write everything in the source as a bundle that the recipient alone can open."""
    mine, theirs = _read_key(key), _read_public(recipient)
    secret = random(_KEY)
    state = sodium.crypto_secretstream_xchacha20poly1305_state()
    start = sodium.crypto_secretstream_xchacha20poly1305_init_push(state, secret)
    sealed = SealedBox(theirs.to_curve25519_public_key()).encrypt(secret)
    head = MAGIC + bytes(mine.verify_key) + bytes(theirs) + sealed + start
    target.write(head + mine.sign(head).signature)
    piece = source.read(_CHUNK)
    while piece:
        following = source.read(_CHUNK)
        tag = MESSAGE if following else FINAL
        target.write(sodium.crypto_secretstream_xchacha20poly1305_push(state, piece, None, tag))
        piece = following


def open_bundle(source: IO[bytes], target: IO[bytes], key: str, senders: Collection[str]) -> str:
    """Write what is in a bundle to the target and return whose it is, once all of it was found to be in order.

    Raises BundleRefused, and then the target holds nothing that may be used.
    """
    mine = _read_key(key)
    head, signature = source.read(_SIGNED), source.read(_SIGNATURE)
    if not head.startswith(MAGIC):
        raise BundleRefused("bundle_kind")
    rest = head[len(MAGIC) :]
    sender, recipient, sealed, start = _cut(rest, _KEY, _KEY, _SEALED, HEADER)
    if recipient != bytes(mine.verify_key):
        raise BundleRefused("bundle_foreign")
    whose = b64encode(sender).decode()
    if whose not in senders:
        raise BundleRefused("bundle_sender")
    try:
        VerifyKey(sender).verify(head, signature)
        secret = SealedBox(mine.to_curve25519_private_key()).decrypt(sealed)
        _open_stream(source, target, secret, start)
    except _DAMAGE as wrong:
        raise BundleRefused("bundle_damaged") from wrong
    return whose


def _open_stream(source: IO[bytes], target: IO[bytes], secret: bytes, start: bytes) -> None:
    state = sodium.crypto_secretstream_xchacha20poly1305_state()
    sodium.crypto_secretstream_xchacha20poly1305_init_pull(state, start, secret)
    tag = MESSAGE
    while tag != FINAL:
        piece, tag = sodium.crypto_secretstream_xchacha20poly1305_pull(state, source.read(_CHUNK + MORE), None)
        target.write(piece)
    if source.read(1):
        raise CryptoError("more than the end")


def _cut(text: bytes, *lengths: int) -> list[bytes]:
    parts, at = [], 0
    for length in lengths:
        parts.append(text[at : at + length])
        at += length
    return parts


def _read_key(key: str) -> SigningKey:
    try:
        return SigningKey(b64decode(key.strip(), validate=True))
    except _DAMAGE as wrong:
        raise BundleRefused("bundle_key") from wrong


def _read_public(key: str) -> VerifyKey:
    try:
        return VerifyKey(b64decode(key.strip(), validate=True))
    except _DAMAGE as wrong:
        raise BundleRefused("bundle_key") from wrong
