"""Which X-Forwarded-* headers are believed: only those that a named TLS proxy sets."""

from collections.abc import Callable, Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from server.config import ConfigError
from server.routing import WSGIApp

Network = IPv4Network | IPv6Network


def parse_proxies(text: str) -> tuple[Network, ...]:
    """Read TERAL_TRUSTED_PROXIES: addresses or networks, comma-separated."""
    try:
        return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ConfigError("TERAL_TRUSTED_PROXIES must be addresses or networks, comma-separated.") from error


class TrustedProxies:
    """WSGI middleware: werkzeug's ProxyFix for requests whose peer is one of the named proxies, and for no other."""

    def __init__(self, app: WSGIApp, proxies: tuple[Network, ...]) -> None:
        self.app = app
        self.behind_proxy = ProxyFix(app, x_for=1, x_proto=1, x_host=1, x_port=0, x_prefix=0)
        self.proxies = proxies

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        app = self.behind_proxy if self._is_trusted(environ.get("REMOTE_ADDR", "")) else self.app
        return app(environ, start_response)

    def _is_trusted(self, peer: str) -> bool:
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self.proxies)


def init_app(app: Flask, trusted_proxies: str) -> None:
    proxies = parse_proxies(trusted_proxies)
    if proxies:
        app.wsgi_app = TrustedProxies(app.wsgi_app, proxies)  # type: ignore[method-assign]
