"""What every page tells the browser: no foreign code, no frames, no guessing of types, no copies kept."""

import re
from urllib.parse import quote

from flask import Flask, Response, request

# htmx needs connect-src for the pages that refresh themselves.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# A file from a tablet that a browser opens by itself can run nothing.
FILE_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def init_app(app: Flask) -> None:
    app.after_request(add_headers)


def add_headers(response: Response) -> Response:
    """Add what the view did not set itself. Static files may be kept by the browser, pages may not."""
    if request.blueprint == "openrosa":
        return response
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response


def as_download(name: str) -> dict[str, str]:
    """The headers of a file that the browser keeps under this name, whatever is in it, and does not open."""
    # The first name is for programs that do not read the second: nothing in it can mean anything to them.
    plain = re.sub(r"[^A-Za-z0-9 ._-]+", "-", name)
    return {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": FILE_POLICY,
    }
