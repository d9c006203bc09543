"""The OpenRosa client inside Collect: its exact headers, addresses and multipart bodies (Collect v2026.3).

What an answer means for a record is tablet.py's business; what Collect never does, this never does.
"""

import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote
from uuid import uuid4

import urllib3
from urllib3.exceptions import HTTPError
from urllib3.util import Url, parse_url

from server.tablets.link import Link
from server.tablets.login import Login

DEFAULT_LENGTH = 10_000_000
_MOST_FILES = 101
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ANDROID = {".csv": "text/csv", ".xml": "text/xml", ".jpg": "image/jpeg", ".png": "image/png", ".wav": "audio/wav"}


class Unreachable(Exception):
    """No answer came: no network, or one that died on the way."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: urllib3.HTTPHeaderDict
    body: bytes
    from_cache: bool = False


@dataclass(slots=True)
class Client:
    """One installation of Collect. `clock` says what its own clock shows, right or wrong."""

    collect_id: str
    user_agent: str
    link: Link
    login: Login | None = None
    clock_ahead_s: float = 0.0
    requests: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    not_modified: int = 0
    _cache: dict[str, Answer] = field(default_factory=dict)
    _pool: urllib3.PoolManager = field(
        default_factory=lambda: urllib3.PoolManager(
            maxsize=1, retries=False, timeout=urllib3.Timeout(connect=30, read=60)
        )
    )

    def get(self, url: str) -> Answer:
        """A GET that asks after what it has in its cache."""
        url = self._with_device(url)
        known = self._cache.get(url)
        extra = {"If-None-Match": known.headers["ETag"]} if known else {}
        answer = self._request("GET", url, extra=extra)
        if answer.status == 304 and known is not None:
            self.not_modified += 1
            return Answer(200, known.headers, known.body, from_cache=True)
        if answer.status == 200 and "ETag" in answer.headers:
            self._cache[url] = answer
        return answer

    def head(self, url: str) -> Answer:
        return self._request("HEAD", self._with_device(url))

    def post(self, url: str, body: bytes, boundary: str) -> Answer:
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        answer = self._request("POST", self._with_device(url), body, headers)
        if self.link.loses_answer():
            self._pool.clear()
            raise Unreachable("the answer was lost")
        return answer

    def _with_device(self, url: str) -> str:
        if "deviceID=" in url:
            return url
        return f"{url}{'&' if '?' in url else '?'}deviceID={quote(self.collect_id, safe='')}"

    def _request(self, method: str, url: str, body: bytes = b"", extra: dict[str, str] | None = None) -> Answer:
        """One call as OkHttp makes it: a 401 is answered once, if it can be."""
        parsed = parse_url(url)
        answer = self._send(method, parsed, body, extra or {})
        offers = answer.headers.getlist("WWW-Authenticate") if answer.status == 401 else []
        if self.login is not None and self.login.take_challenge(list(offers), parsed):
            answer = self._send(method, parsed, body, extra or {})
        return answer

    def _send(self, method: str, url: Url, body: bytes, extra: dict[str, str]) -> Answer:
        headers = {**self._headers(method, url), **extra}
        if body:
            headers["Content-Length"] = str(len(body))
        self.requests += 1
        self.bytes_sent += len(body)
        try:
            response = self._pool.urlopen(method, url.url, body=self.link.carry(body) or None, headers=headers)
        except (HTTPError, OSError) as error:
            raise Unreachable(type(error).__name__) from error
        self.bytes_received += len(response.data)
        return Answer(response.status, response.headers, response.data)

    def _headers(self, method: str, url: Url) -> dict[str, str]:
        headers = {
            "User-Agent": self.user_agent,
            "X-OpenRosa-Version": "1.0",
            "Date": spell_date(datetime.now(UTC).timestamp() + self.clock_ahead_s),
            "Connection": "Keep-Alive",
            "Accept-Encoding": "gzip",
        }
        authorization = self.login.authorization(method, url.request_uri) if self.login else None
        return {**headers, "Authorization": authorization} if authorization else headers


def spell_date(timestamp: float) -> str:
    """Collect's Date header. Its clock has twelve hours (`hh`), so 15:00 reads 03:00."""
    at = datetime.fromtimestamp(timestamp, UTC)
    day, month = _DAYS[at.weekday()], _MONTHS[at.month - 1]
    return f"{day}, {at.day:02} {month} {at.year} {at.hour % 12 or 12:02}:{at.minute:02}:{at.second:02} GMT"


def split_posts(
    xml_name: str, xml: bytes, files: dict[str, bytes], accepted: int = DEFAULT_LENGTH, most_files: int = _MOST_FILES
) -> Iterator[tuple[bytes, str]]:
    """The posts of one record, each a body with its boundary. Every one repeats the XML; all but the last say so."""
    waiting = list(files.items())
    while True:
        taken, size = 0, len(xml)
        for _, data in waiting[:most_files]:
            if taken and size + len(data) > accepted:
                break
            taken, size = taken + 1, size + len(data)
        part, waiting = waiting[:taken], waiting[taken:]
        yield _multipart(xml_name, xml, part, incomplete=bool(waiting))
        if not waiting:
            return


def _multipart(xml_name: str, xml: bytes, files: list[tuple[str, bytes]], *, incomplete: bool) -> tuple[bytes, str]:
    boundary = str(uuid4())
    parts = [_part(boundary, "xml_submission_file", xml, xml_name, "text/xml")]
    parts += [_part(boundary, name, data, name, content_type(name)) for name, data in files]
    if incomplete:
        parts.append(_part(boundary, "*isIncomplete*", b"yes"))
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), boundary


def _part(boundary: str, name: str, data: bytes, filename: str = "", kind: str = "") -> bytes:
    """One part as OkHttp writes it: names escaped as browsers do, no length."""
    disposition = f'form-data; name="{_escape(name)}"' + (f'; filename="{_escape(filename)}"' if filename else "")
    typed = f"Content-Type: {kind}\r\n" if kind else ""
    head = f"--{boundary}\r\nContent-Disposition: {disposition}\r\n{typed}\r\n"
    return head.encode() + data + b"\r\n"


def _escape(name: str) -> str:
    return name.replace("\n", "%0A").replace("\r", "%0D").replace('"', "%22")


def content_type(name: str) -> str:
    ending = name[name.rfind(".") :].lower() if "." in name else ""
    return _ANDROID.get(ending) or mimetypes.guess_type(name)[0] or "application/octet-stream"
