"""A server that answers as it is told and keeps every request, to be held against what Collect is known to send."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

OPENROSA = {"X-OpenRosa-Version": "1.0", "Content-Type": "text/xml; charset=utf-8"}


@dataclass
class Seen:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    def parts(self) -> list[tuple[dict[str, str], bytes]]:
        """The parts of a multipart body, cut by hand: headers in lower case, and content."""
        boundary = self.headers["content-type"].partition("boundary=")[2].encode()
        raw = self.body.removesuffix(b"--\r\n").split(b"--" + boundary)[1:-1]
        return [_part(one.removeprefix(b"\r\n").removesuffix(b"\r\n")) for one in raw]


def _part(raw: bytes) -> tuple[dict[str, str], bytes]:
    head, _, content = raw.partition(b"\r\n\r\n")
    lines = (line.partition(": ") for line in head.decode().split("\r\n"))
    return {name.lower(): value for name, _, value in lines}, content


Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Recorder:
    """`reply` decides what is answered; `url` is where it listens."""

    reply: Callable[[Seen], Reply]
    url: str = ""
    seen: list[Seen] = field(default_factory=list)

    def lines(self) -> list[str]:
        return [f"{one.method} {one.target.partition('?')[0]}" for one in self.seen]


@contextmanager
def recording(reply: Callable[[Seen], Reply]) -> Iterator[Recorder]:
    recorder = Recorder(reply)

    class Handler(BaseHTTPRequestHandler):
        disable_nagle_algorithm = True
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen = Seen(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            recorder.seen.append(seen)
            status, headers, content = recorder.reply(seen)
            content = b"" if status in (204, 304) else content
            self.send_response_only(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_HEAD = do_POST = answer

        def log_message(self, *_arguments: object) -> None:
            """Tests are quiet."""

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    recorder.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield recorder
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
