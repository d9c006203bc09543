"""gunicorn's logs: who asks for what, and what broke, without what opens a door (tokens) or tells of a person (queries,
bodies, errors' own words).
"""

import re
import sys
from datetime import timedelta
from typing import Any

from gunicorn.glogging import Logger

from server.faults import render_fault

# What gunicorn says of a request that is no HTTP: the line or header that it could not read follows.
_UNREAD = re.compile(r"Invalid request from ip=\S*")
_SECRET = re.compile(r"/v1/(key|test|sessions)/[^/]*")


def redact(path: str) -> str:
    """`/v1/key/<token>/…` becomes `/v1/key/…/…`; the query goes altogether."""
    return _SECRET.sub(r"/v1/\1/…", path.partition("?")[0])


class AccessLogger(Logger):  # type: ignore[misc]
    """gunicorn's logger with one short line per request, and faults as faults.py tells them."""

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        if self.access_log_enabled:
            path = redact(environ.get("RAW_URI", ""))
            took = request_time.total_seconds() * 1000
            line = (environ.get("REMOTE_ADDR", "-"), environ["REQUEST_METHOD"], path, resp.status_code, took)
            self.access_log.info("%s %s %s %s %.0fms", *line)

    def exception(self, msg: object, *args: Any, **kwargs: Any) -> None:
        """Say what broke where; of the address that was asked for, what the access log would say."""
        error = sys.exc_info()[1]
        fault = f"\n{render_fault(error)}" if error is not None else ""
        told = str(msg) % tuple(redact(str(one)) for one in args) if args else msg
        self.error_log.error("%s%s", told, fault)

    def warning(self, msg: object, *args: Any, **kwargs: Any) -> None:
        """Warn; of a request that cannot be read, only who sent it and what it is not."""
        unread = _UNREAD.match(str(msg))
        told = f"{unread.group()} {type(sys.exc_info()[1]).__name__}" if unread else msg
        self.error_log.warning(told, *args, **kwargs)
