"""How Collect's OkHttp answers a 401: Digest always, Basic over https only, and by itself from then on."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from urllib.request import parse_http_list, parse_keqv_list

from urllib3.util import Url


@dataclass(slots=True)
class Login:
    """Credentials of one tablet and the challenge that they last answered."""

    username: str
    password: str
    scheme: str = ""
    challenge: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def take_challenge(self, offers: list[str], url: Url) -> bool:
        """Choose among the challenges of a 401; False when there is none that Collect would answer."""
        for offer in offers:
            scheme, _, rest = offer.partition(" ")
            if scheme.lower() == "digest":
                self.scheme, self.count = "digest", 0
                self.challenge = parse_keqv_list(parse_http_list(rest))
                return True
            if scheme.lower() == "basic" and url.scheme == "https":
                self.scheme = "basic"
                return True
        return False

    def authorization(self, method: str, target: str) -> str | None:
        """The header for a request; None until the server asked once."""
        if self.scheme == "basic":
            return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return self._digest(method, target) if self.scheme == "digest" else None

    def _digest(self, method: str, target: str) -> str:
        self.count += 1
        realm, nonce = self.challenge["realm"], self.challenge["nonce"]
        nc, cnonce = f"{self.count:08x}", secrets.token_hex(8)
        ha1 = _md5(f"{self.username}:{realm}:{self.password}")
        response = _md5(f"{ha1}:{nonce}:{nc}:{cnonce}:auth:{_md5(f'{method}:{target}')}")
        return (
            f'Digest username="{self.username}", realm="{realm}", nonce="{nonce}", uri="{target}", '
            f'response="{response}", qop=auth, nc={nc}, cnonce="{cnonce}", algorithm=MD5'
        )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
