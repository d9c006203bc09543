"""HTTP Digest (RFC 7616) for tablets: challenges with signed, stateless nonces, and the check of an answer.

MD5 with qop=auth is what Collect's OkHttp digest answers with; Collect answers Basic over https only, Digest on both.
"""

import functools
import hashlib
import hmac
import time
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from werkzeug.http import parse_dict_header

from server.accounts.secrets import derive_key

REALM = "teral"
NONCE_SECONDS = 15 * 60

Verdict = Literal["right", "stale", "wrong"]


@dataclass(frozen=True, slots=True)
class DigestAnswer:
    """The fields of an Authorization header that the check needs."""

    username: str
    nonce: str
    uri: str
    nc: str
    cnonce: str
    response: str


def ha1(username: str, password: str) -> str:
    return _md5(f"{username}:{REALM}:{password}")


def challenge(secret_key: str, *, stale: bool = False) -> str:
    """A WWW-Authenticate value. `stale=true` tells OkHttp to try again by itself instead of asking the officer."""
    suffix = ", stale=true" if stale else ""
    return f'Digest realm="{REALM}", nonce="{make_nonce(secret_key)}", algorithm=MD5, qop="auth"{suffix}'


def make_nonce(secret_key: str, at: int | None = None) -> str:
    moment = f"{int(time.time()) if at is None else at:x}"
    return f"{moment}.{_sign(secret_key, moment)}"


def parse_answer(header: str) -> DigestAnswer | None:
    """Read `Digest …`; None when a field is missing or the algorithm is one that was not offered."""
    fields = parse_dict_header(header)
    if (fields.get("algorithm") or "MD5").upper() != "MD5" or fields.get("qop") != "auth":
        return None
    values = {name: fields.get(name) for name in DigestAnswer.__slots__}
    if not all(values.values()):
        return None
    return DigestAnswer(**{name: value or "" for name, value in values.items()})


def check_answer(answer: DigestAnswer, stored_ha1: str, method: str, uri: str, secret_key: str) -> Verdict:
    """Judge an answer. A nonce of ours that is too old is `stale` only if the password was right."""
    if _target(answer.uri) != _target(uri) or not _is_ours(secret_key, answer.nonce):
        return "wrong"
    ha2 = _md5(f"{method}:{answer.uri}")
    due = _md5(f"{stored_ha1}:{answer.nonce}:{answer.nc}:{answer.cnonce}:auth:{ha2}")
    if not hmac.compare_digest(due.encode(), answer.response.encode()):
        return "wrong"
    return "right" if _is_fresh(answer.nonce) else "stale"


def _target(uri: str) -> str:
    """Path and query: some clients and proxies put the whole address into the request line."""
    parts = urlsplit(uri)
    return f"{parts.path}?{parts.query}"


def _is_ours(secret_key: str, nonce: str) -> bool:
    moment, _, signature = nonce.partition(".")
    return hmac.compare_digest(_sign(secret_key, moment).encode(), signature.encode())


def _is_fresh(nonce: str) -> bool:
    return 0 <= time.time() - int(nonce.partition(".")[0], 16) + 1 <= NONCE_SECONDS


def _sign(secret_key: str, moment: str) -> str:
    return hmac.new(derive_key(secret_key, "digest nonce"), moment.encode(), hashlib.sha256).hexdigest()[:32]


@functools.lru_cache(maxsize=1024)
def _md5(text: str) -> str:
    return hashlib.md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
