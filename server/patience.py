"""How long a client may take to say what it wants: gunicorn by itself waits for ever for the rest of a request.

A thin link may need an hour for a few photographs; who only pretends to send must not hold a thread for longer.
"""

import errno
import select
import socket
import time
from typing import Any

from gunicorn.http import get_parser
from gunicorn.workers.gthread import ThreadWorker

from server.config import Settings
from server.spooling import TooSlow

# Whatever its rate, no request takes longer. At the least rate this is more than three photographs.
LONGEST_S = 3600.0


class PatientSocket:
    """What gunicorn reads requests from: a socket whose client must keep up a least rate.

    The first `grace_s` seconds are free; from then on `rate` bytes a second must have come. No silence is longer.
    """

    def __init__(self, connection: socket.socket, grace_s: float, rate: int) -> None:
        self._socket = connection
        self._grace_s, self._rate = grace_s, rate
        self._readable = select.poll()
        self._readable.register(connection, select.POLLIN)
        self._timeout: float | None = None
        self.begin()

    def begin(self) -> None:
        """A new request begins, and with it a new time."""
        self._begun, self._received = time.monotonic(), 0

    def recv(self, size: int) -> bytes:
        wait = min(self._time_left(), self._grace_s, self._timeout or self._grace_s)
        if wait <= 0 or not self._readable.poll(wait * 1000):
            # With this number gunicorn closes in silence where there is no request yet that could be answered.
            raise TooSlow(errno.ECONNRESET, "the client is too slow")
        data = self._socket.recv(size)
        self._received += len(data)
        return data

    def _time_left(self) -> float:
        allowed = min(self._grace_s + self._received / self._rate, LONGEST_S)
        return self._begun + allowed - time.monotonic()

    def gettimeout(self) -> float | None:
        return self._timeout

    def settimeout(self, timeout: float | None) -> None:
        """gunicorn is less patient with the rest of what nobody wants to read."""
        self._timeout = timeout


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's thread worker on patient sockets."""

    grace_s: float
    rate: int

    def handle(self, conn: Any) -> Any:
        if conn.parser is None:
            conn.parser = get_parser(self.cfg, PatientSocket(conn.sock, self.grace_s, self.rate), conn.client)
        conn.parser.unreader.sock.begin()
        return super().handle(conn)


def make_worker(settings: Settings) -> type[PatientWorker]:
    """The worker class for these settings: gunicorn makes its workers itself and hands them nothing of ours."""
    given = {"grace_s": float(settings.slow_grace_s), "rate": settings.slow_rate}
    return type("PatientWorker", (PatientWorker,), given)
