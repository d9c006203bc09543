"""The access log: who asks for what, without what opens a door (tokens) or tells of a person (queries, bodies)."""

import re
from datetime import timedelta
from typing import Any

from gunicorn.glogging import Logger

_SECRET = re.compile(r"/v1/(key|test)/[^/]*")


def redact(path: str) -> str:
    """`/v1/key/<token>/…` becomes `/v1/key/…/…`; the query goes altogether."""
    return _SECRET.sub(r"/v1/\1/…", path.partition("?")[0])


class AccessLogger(Logger):  # type: ignore[misc]
    """gunicorn's logger with one short line per request."""

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        if self.access_log_enabled:
            path = redact(environ.get("RAW_URI", ""))
            took = request_time.total_seconds() * 1000
            line = (environ.get("REMOTE_ADDR", "-"), environ["REQUEST_METHOD"], path, resp.status_code, took)
            self.access_log.info("%s %s %s %s %.0fms", *line)
