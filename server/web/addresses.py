"""Addresses that keep the filters of the page on which they stand."""

from typing import Any
from urllib.parse import urlencode

from flask import request, url_for

_WHERE = "before"  # where in a list its page begins: no filter


def filtered_url(endpoint: str, **own: Any) -> str:
    """The address of a page, with what the present address asks for beside its own.

    Whatever somebody wrote into an address is written out again as it is: `url_for` would take `_scheme` for its own.
    """
    asked = [(name, text) for name, text in request.args.items(multi=True) if name not in (_WHERE, *own)]
    address = url_for(endpoint, **own)
    return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}" if asked else address
