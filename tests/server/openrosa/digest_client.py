"""The client's side of HTTP Digest, written from RFC 7616 for the tests."""

import hashlib

from werkzeug.http import parse_dict_header


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def answer_challenge(challenge: str, username: str, password: str, method: str, uri: str) -> str:
    """The Authorization header that OkHttp sends after this WWW-Authenticate."""
    fields = parse_dict_header(challenge.removeprefix("Digest "))
    realm, nonce = fields["realm"], fields["nonce"]
    nc, cnonce = "00000001", "0a4f113b"
    ha1, ha2 = _md5(f"{username}:{realm}:{password}"), _md5(f"{method}:{uri}")
    response = _md5(f"{ha1}:{nonce}:{nc}:{cnonce}:auth:{ha2}")
    return (
        f'Digest username="{username}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{response}", '
        f'qop=auth, nc={nc}, cnonce="{cnonce}", algorithm=MD5'
    )
