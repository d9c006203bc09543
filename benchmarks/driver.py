"""The load: a process of its own that sends prepared bytes over a few connections and notes how long answers took.

It shares the machine with what it measures, so it does as little as can be: no HTTP library, no XML, one UUID written
over the old one where a request must be new, and with it other names. Used through `drive`; run as
`python -m benchmarks.driver`.
"""

import asyncio
import base64
import json
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import uuid4

UUID_LENGTH = 36
# Stands in a request where each time another name is to stand, as long as this one.
NAME = b"Kabadiko"
_SYLLABLES = [consonant + vowel for consonant in "bcdfgjklmnprstwy" for vowel in "aeiou"]


@dataclass
class Load:
    """`requests` follow each other on each connection and count as one; `uuid` is what is made new each time.

    `rate` limits how many go out a second, all connections together; 0 is as many as come back.
    """

    port: int
    requests: list[bytes]
    seconds: float
    uuid: bytes = b""
    connections: int = 8
    rate: float = 0.0


@dataclass
class Result:
    count: int = 0
    seconds: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return self.count / self.seconds if self.seconds else 0.0

    def percentile(self, part: float) -> float:
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0


def drive(load: Load) -> Result:
    """Run the load in a process of its own."""
    given = asdict(load) | {
        "requests": [base64.b64encode(one).decode() for one in load.requests],
        "uuid": load.uuid.decode(),
    }
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.driver"],
        input=json.dumps(given).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    return Result(**json.loads(done.stdout))


class Connection(asyncio.Protocol):
    """One connection that sends its next request when the answer to the last one is whole."""

    def __init__(self, load: Load, result: Result, statuses: Counter[str], until: float, start: float) -> None:
        self.load, self.result, self.statuses, self.until, self.start = load, result, statuses, until, start
        self.places = [_places(one, load.uuid) for one in load.requests]
        self.names = [_places(one, NAME if load.uuid else b"") for one in load.requests]
        self.done = asyncio.get_running_loop().create_future()
        self.next = 0
        self.received = b""
        self.sent_at = 0.0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        asyncio.get_running_loop().call_later(self.start, self.send)

    def send(self) -> None:
        if self.next == 0:
            self.sent_at = time.perf_counter()
            self.uuid = str(uuid4()).encode()
        self.transport.write(self._fresh(self.next))

    def _fresh(self, index: int) -> bytes:
        request = bytearray(self.load.requests[index])
        for place in self.places[index]:
            request[place : place + UUID_LENGTH] = self.uuid
        for place in self.names[index]:
            request[place : place + len(NAME)] = _draw_name()
        return bytes(request)

    def data_received(self, data: bytes) -> None:
        self.received += data
        end = self.received.find(b"\r\n\r\n")
        if end < 0 or not _is_whole(self.received, end):
            return
        self.statuses[self.received[9:12].decode()] += 1
        self.received = b""
        self.next = (self.next + 1) % len(self.load.requests)
        if self.next:
            self.send()
        else:
            self._finish_one()

    def _finish_one(self) -> None:
        now = time.perf_counter()
        self.result.count += 1
        self.result.latencies_ms.append((now - self.sent_at) * 1000)
        if now >= self.until:
            self.transport.close()
            return
        pause = self.load.connections / self.load.rate - (now - self.sent_at) if self.load.rate else 0.0
        if pause > 0:
            asyncio.get_running_loop().call_later(pause, self.send)
        else:
            self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None or self.next:
            self.statuses["lost"] += 1
        if not self.done.done():
            self.done.set_result(None)


def _places(request: bytes, text: bytes) -> list[int]:
    places, at = [], request.find(text) if text else -1
    while at >= 0:
        places.append(at)
        at = request.find(text, at + 1)
    return places


def _draw_name() -> bytes:
    return "".join(random.choices(_SYLLABLES, k=len(NAME) // 2)).capitalize().encode()


def _is_whole(received: bytes, end: int) -> bool:
    """Whether the answer whose head ends there is all here."""
    if b"\r\ntransfer-encoding: chunked" in received[:end].lower():
        return received.endswith(b"\r\n0\r\n\r\n")
    return len(received) >= end + 4 + _length(received[:end])


def _length(head: bytes) -> int:
    # The line's start belongs to it: X-OpenRosa-Accept-Content-Length is another header.
    at = head.lower().find(b"\r\ncontent-length:")
    return int(head[at + 17 :].partition(b"\r\n")[0]) if at >= 0 else 0


async def _run(load: Load) -> Result:
    result, statuses = Result(), Counter[str]()
    loop, begun = asyncio.get_running_loop(), time.perf_counter()
    made = [
        await loop.create_connection(
            lambda start=number / load.rate if load.rate else 0.0: Connection(  # type: ignore[misc]
                load, result, statuses, begun + load.seconds, start
            ),
            "127.0.0.1",
            load.port,
        )
        for number in range(load.connections)
    ]
    await asyncio.gather(*(protocol.done for _, protocol in made))
    result.seconds = time.perf_counter() - begun
    result.statuses = dict(statuses)
    return result


def main() -> None:
    given = json.load(sys.stdin)
    given["requests"] = [base64.b64decode(one) for one in given["requests"]]
    print(json.dumps(asdict(asyncio.run(_run(Load(**{**given, "uuid": given["uuid"].encode()}))))))


if __name__ == "__main__":
    main()
