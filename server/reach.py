"""The address that tablets and relays are given for this server, and whether it leads here from anywhere else."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Flask

from server.config import Settings


def is_out_of_reach(settings: Settings) -> bool:
    """Whether the address leads whoever uses it to his own machine."""
    host = urlsplit(settings.base_url).hostname or ""
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_loopback or address.is_unspecified


def init_app(app: Flask) -> None:
    settings: Settings = app.extensions["teral_settings"]
    app.jinja_env.globals["unreached_address"] = settings.base_url if is_out_of_reach(settings) else None
