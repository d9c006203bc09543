"""The private keys that open encrypted submissions: from a folder or the environment, never from the database."""

import logging
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from flask import Flask, current_app
from sqlalchemy.orm import Session

from forms.encryption import EncryptionRefused, PrivateKeys, load_private_key
from server.config import Settings
from server.extensions import db
from sync.db import begin_write
from sync.sealing import list_unlockable, release_locked

log = logging.getLogger(__name__)

_VARIABLE = "TERAL_DECRYPTION_KEYS"
_PEM = re.compile(rb"-----BEGIN [^-]+-----.*?-----END [^-]+-----", re.DOTALL)

# What a change of the keys changes: each file's path, time and size.
Listing = tuple[tuple[str, int, int], ...]


@dataclass(slots=True)
class KeyRing:
    """The keys at hand; a file that comes or goes is noticed, so that a rotation needs no restart."""

    source: str
    passphrase: str = ""
    _listing: Listing | None = None
    _keys: PrivateKeys = field(default_factory=dict)

    def read(self) -> PrivateKeys:
        """The keys as they are now. What holds none is named in the log, and the others count."""
        listing = self._list()
        if listing != self._listing:
            self._keys = dict(key for name, _, _ in listing for key in self._read_file(Path(name)))
            if self._is_text():
                found = [self._load(_VARIABLE, pem) for pem in _PEM.findall(self.source.encode())]
                self._keys = dict(key for one in found for key in one)
            self._listing = listing
        return self._keys

    def _is_text(self) -> bool:
        return "-----BEGIN" in self.source

    def _list(self) -> Listing:
        if not self.source or self._is_text():
            return ()
        try:
            found = [(path, path.stat()) for path in sorted(Path(self.source).glob("*.pem"))]
        except OSError as error:
            # A folder on a stick that was drawn: what it opens is locked until it is back.
            log.warning("%s: %s", _VARIABLE, type(error).__name__)
            return ()
        return tuple((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in found)

    def _read_file(self, path: Path) -> list[tuple[str, RSAPrivateKey]]:
        try:
            return self._load(path.name, path.read_bytes())
        except OSError as error:
            log.warning("%s: %s", path.name, type(error).__name__)
            return []

    def _load(self, name: str, pem: bytes) -> list[tuple[str, RSAPrivateKey]]:
        try:
            return [load_private_key(pem, self.passphrase.encode() or None)]
        except EncryptionRefused as refused:
            log.warning("%s: %s", name, refused)
            return []


def init_app(app: Flask) -> None:
    settings: Settings = app.extensions["teral_settings"]
    app.extensions["teral_keys"] = KeyRing(settings.decryption_keys, settings.decryption_passphrase)


def current_keys() -> PrivateKeys:
    ring: KeyRing = current_app.extensions["teral_keys"]
    return ring.read()


def unlock_submissions() -> int:
    """Put locked submissions whose key has come back into the work list; return how many."""
    with Session(db.engine) as session:
        ids = list_unlockable(session, current_keys())
    if not ids:
        return 0
    with Session(db.engine) as session:
        begin_write(session)
        count = release_locked(session, ids, None, datetime.now(UTC))
        session.commit()
    return count
