"""X-Forwarded-* counts only when a named proxy sets it."""

import pytest
from flask import Flask, request

from server import proxies
from server.config import ConfigError

FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "teral.example", "X-Forwarded-For": "203.0.113.9"}


def seen(trusted: str, peer: str) -> str:
    app = Flask(__name__)
    app.add_url_rule("/", view_func=lambda: f"{request.host_url} {request.remote_addr}", endpoint="x")
    proxies.init_app(app, trusted)
    return app.test_client().get("/", headers=FORWARDED, environ_base={"REMOTE_ADDR": peer}).text


@pytest.mark.parametrize(
    ("trusted", "peer", "believed"),
    [
        ("10.0.0.1", "10.0.0.1", True),
        ("192.0.2.7, 10.0.0.0/8", "10.9.8.7", True),
        ("::1", "::1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("", "127.0.0.1", False),
        ("10.0.0.1", "", False),
    ],
    ids=["address", "network", "IPv6", "other", "nobody named", "no address"],
)
def test_only_named_proxies_are_believed(trusted: str, peer: str, believed: bool) -> None:
    told = seen(trusted, peer)
    assert (told == "https://teral.example/ 203.0.113.9") == believed
    assert (told == f"http://localhost/ {peer}") == (not believed)


def test_proxies_that_are_no_addresses_are_refused() -> None:
    with pytest.raises(ConfigError, match="TERAL_TRUSTED_PROXIES"):
        proxies.parse_proxies("proxy.example")
