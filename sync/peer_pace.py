"""How much another server is asked to bear, and for how long it is waited for."""

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

_READ_S = 120
# Whoever is told to wait for longer comes back with the next run.
LONGEST_WAIT_S = 120.0


class Pace:
    """How much a peer is asked to bear: so many requests and bytes a second, 0 for as many as come."""

    def __init__(
        self,
        requests_s: float = 0,
        bytes_s: float = 0,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._request_s = 1 / requests_s if requests_s else 0.0
        self._byte_s = 1 / bytes_s if bytes_s else 0.0
        self.sleep, self.clock = sleep, clock
        self._free_at = 0.0

    def start_request(self) -> None:
        """Wait for the turn of a request."""
        self._spend(self._request_s)

    def move(self, count: int) -> None:
        """Wait until so many more bytes may go over the line."""
        self._spend(count * self._byte_s)

    def _spend(self, seconds: float) -> None:
        now = self.clock()
        if seconds and self._free_at > now:
            self.sleep(self._free_at - now)
            now = self._free_at
        self._free_at = max(self._free_at, now) + seconds


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a request is tried again, and how long the first pause is; each further one is twice as long.

    `wait_s` is for how long an answer is waited for, `whole_s` for how long requests are made at all.
    """

    tries: int = 5
    pause_s: float = 1.0
    wait_s: float = _READ_S
    whole_s: float = math.inf

    def pause(self, tried: int) -> float:
        """Of random length, so that many posts whose link returns do not all ring at once."""
        longest: float = min(LONGEST_WAIT_S, self.pause_s * 2**tried)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 (nothing secret)
