"""A polite client of ODK Central's `/v1`: pyodk's, in the one place where its defects are known and worked around.

Who our peers are is peers.py's knowledge, what an answer means peer_answers.py's, how fast we go peer_pace.py's, and
what goes to and fro central.py's and relay.py's. pyodk 1.3.0 as it comes
- mounts its time-out and its retries for https alone, repeats a PUT that may have arrived, and gives up where an answer
  breaks off in the middle: here every scheme waits the same, only what changes nothing is repeated, and a file goes on
  where it stopped;
- sends a login or a record on to wherever a 307 points, while only files of Central lie elsewhere: it is stopped;
- never logs in again when a token ends, and keeps its configuration and its token in the home folder: here they stay
  in memory;
- logs the whole answer of whatever fails, which may quote a record: it is silenced;
- cannot take a review state back, since it leaves null out (`PeerClient.review`);
- reads lists, versions and entities into models that fail on what Central itself answers (forms as objects, no
  submitter, no user agent), merges entities into the default project only, and knows neither the next page of a table
  nor the files of a record: `PeerClient.ask`, `ask_rows` and `list_rows` read the JSON.
"""

import logging
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from urllib.parse import parse_qs, urlsplit

import requests
from pyodk._utils.config import CentralConfig, Config
from pyodk.client import Client
from pyodk.client import Session as PyodkSession
from pyodk.errors import PyODKError
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError, ConnectTimeout, Timeout
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from sync.peer_answers import BUSY, LOST, PeerError, check_rows, read_json, refuse
from sync.peer_pace import LONGEST_WAIT_S, Pace, Patience

logging.getLogger("pyodk").setLevel(logging.CRITICAL + 1)

_CONNECT_S = 30
# What changes nothing may be asked again when the answer was lost.
_READING = frozenset({"GET", "HEAD"})
_CUT = (requests.exceptions.ConnectionError, ChunkedEncodingError, Timeout)
_PIECE = 64 * 1024
_IN_MEMORY = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Login:
    """The account that we have on another server."""

    username: str
    password: str


class _Adapter(HTTPAdapter):
    """Waits for every server the same, and sends bodies no faster than is allowed."""

    def __init__(self, pace: Pace, wait_s: float) -> None:
        super().__init__()
        self._pace, self._timeout = pace, (min(_CONNECT_S, wait_s), wait_s)

    def send(self, request: Any, **given: Any) -> requests.Response:  # type: ignore[override]
        if given.get("timeout") is None:
            given["timeout"] = self._timeout
        if isinstance(request.body, str):
            request.body = request.body.encode()
        if request.body is not None:
            request.body = self._slow_down(request.body)
        response = super().send(request, **given)
        _refuse_part(request.method or "", response)
        return response

    def _slow_down(self, body: Any) -> Iterator[bytes]:
        """Content-Length, or chunks, were settled before; http.client sends what an iterator gives."""
        pieces = [body[at : at + _PIECE] for at in range(0, len(body), _PIECE)] if isinstance(body, bytes) else body
        for piece in pieces:
            self._pace.move(len(piece))
            yield piece


def _refuse_part(method: str, response: requests.Response) -> None:
    """A connection that ends within the head of an answer leaves what looks like a whole one without a body."""
    told = response.headers
    has_end = "Content-Length" in told or told.get("Transfer-Encoding", "").lower() == "chunked"
    if not has_end and method != "HEAD" and response.status_code not in (204, 304):
        response.close()
        raise requests.exceptions.ConnectionError("the answer does not say where it ends")


class _Session(PyodkSession):  # type: ignore[misc]
    """pyodk's session with our manners."""

    def __init__(self, address: str, login: Login, pace: Pace, patience: Patience) -> None:
        super().__init__(address, "v1", login.username, login.password, cache_path=None)
        self.pace, self.patience = pace, patience
        self._ends_at = pace.clock() + patience.whole_s
        for scheme in ("https://", "http://"):
            self.mount(scheme, _Adapter(pace, patience.wait_s))

    def request(self, method: str, url: str, *args: Any, **given: Any) -> requests.Response:
        if method not in _READING:
            # Passwords and records are for this server alone; Central leads elsewhere to files only.
            given.setdefault("allow_redirects", False)
        tried = 0
        while True:
            if self.pace.clock() > self._ends_at:
                raise PeerError("peer_slow")
            self.pace.start_request()
            try:
                response: requests.Response = super().request(method, url, *args, **given)
            except _CUT as error:
                # The next try would meet the same one.
                if _is_about_certificate(error):
                    raise PeerError("peer_certificate") from error
                # A connection that never was has carried nothing.
                harmless = _may_repeat(method, url) or isinstance(error, ConnectTimeout)
                if tried >= self.patience.tries or not harmless:
                    raise
                self.pace.sleep(self.patience.pause(tried))
            else:
                busy = BUSY | LOST if _may_repeat(method, url) else BUSY
                if not self._is_worth_another(response, busy, tried, given):
                    return response
            tried += 1

    def _is_worth_another(
        self, response: requests.Response, busy: frozenset[int], tried: int, given: dict[str, Any]
    ) -> bool:
        """After the pause that the server asks for, or with a fresh token."""
        # What is read from a stream is gone once it was sent.
        if tried >= self.patience.tries or not isinstance(given.get("data"), str | bytes | dict | None):
            return False
        if response.status_code == 401 and self.headers.pop("Authorization", None):
            self.auth.login()
            return True
        wait = _read_wait(response, self.patience.pause(tried)) if response.status_code in busy else LONGEST_WAIT_S
        if wait < LONGEST_WAIT_S:
            self.pace.sleep(wait)
        return wait < LONGEST_WAIT_S


def _is_about_certificate(error: BaseException | None) -> bool:
    """Whether the connection failed since nobody vouches for the server's certificate."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None


def _may_repeat(method: str, url: str) -> bool:
    """Whether asking again can do nothing twice."""
    return method in _READING or url == "sessions"


def _read_wait(response: requests.Response, otherwise: float) -> float:
    """As long as the server asks for, and a little more, so that those whom it told the same come one by one."""
    asked = response.headers.get("Retry-After")
    try:
        return Retry().parse_retry_after(asked) + otherwise if asked else otherwise
    except InvalidHeader:
        return otherwise


class _Incoming:
    """What has come of a file, and the tag under which the server may add to it."""

    def __init__(self, content: IO[bytes]) -> None:
        self.content, self.come, self.tag = content, 0, ""

    def start_over(self, tag: str) -> None:
        self.content.seek(0)
        self.content.truncate()
        self.come, self.tag = 0, tag

    def add(self, piece: bytes) -> None:
        self.content.write(piece)
        self.come += len(piece)


class PeerClient:
    """One project of a server that speaks Central's `/v1`. Whatever goes wrong is a PeerError."""

    def __init__(
        self,
        address: str,
        project_id: int,
        login: Login,
        pace: Pace | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.project_id = project_id
        self._session = _Session(address, login, pace or Pace(), patience or Patience())
        config = Config(CentralConfig(address, login.username, login.password, project_id))
        # pyodk's own services, for whatever they do without a defect; call them inside `translating()`.
        self.pyodk = Client(config=config, session=self._session, project_id=project_id)

    def close(self) -> None:
        """Let the connections go."""
        self._session.close()

    def path(self, template: str, **names: object) -> str:
        """An address inside the project, with every name percent-encoded as Central wants it."""
        inside: str = self._session.urlformat(template, **names)
        return f"projects/{self.project_id}/{inside}"

    def ask(self, path: str, **params: object) -> Any:
        """The JSON that a GET answers."""
        return read_json(self.call("GET", path, params=params))

    def ask_rows(self, path: str, *names: str) -> list[dict[str, Any]]:
        """The list that a GET answers, each of its objects with a text under these names; else a PeerError."""
        return check_rows(self.ask(path), *names)

    def call(self, method: str, path: str, **given: Any) -> requests.Response:
        """The answer to any request, once it is a success; what is read counts for the pace."""
        with self.translating():
            response: requests.Response = self._session.request(method, path, **given)
        refuse(response)
        if not given.get("stream"):
            self._session.pace.move(len(response.content))
        return response

    def list_rows(self, path: str, **params: object) -> Iterator[list[dict[str, Any]]]:
        """The pages of an OData table, one after the other, each by the token that the page before it told."""
        asked = dict(params)
        while True:
            page = self.ask(path, **asked)
            if not isinstance(page, dict):
                raise PeerError("peer_confused")
            yield check_rows(page.get("value"))
            # The link may name the server as others reach it, so only its token is taken.
            token = parse_qs(urlsplit(str(page.get("@odata.nextLink") or "")).query).get("$skiptoken")
            if not token:
                return
            asked = {**params, "$skiptoken": token[0]}

    def review(self, form_id: str, instance_id: str, state: str | None) -> None:
        """Set a record's review state, or take it back."""
        path = self.path("forms/{form}/submissions/{instance}", form=form_id, instance=instance_id)
        self.call("PATCH", path, json={"reviewState": state})

    @contextmanager
    def download(self, path: str) -> Iterator[IO[bytes]]:
        """A file, whole: what came before a connection broke is kept, and the rest is asked for."""
        with SpooledTemporaryFile(_IN_MEMORY) as content:
            self._fetch(path, _Incoming(content))
            content.seek(0)
            yield content

    @contextmanager
    def download_other(self, path: str, tags: Sequence[str]) -> Iterator[IO[bytes] | None]:
        """The same, or None where what is there has one of these tags: a server's tag for a file is a hash of it."""
        asked = {"If-None-Match": ", ".join(f'"{one}"' for one in tags)}
        if self.call("HEAD", path, headers=asked).status_code == 304:
            yield None
        else:
            with self.download(path) as content:
                yield content

    def _fetch(self, path: str, file: "_Incoming") -> None:
        tried = 0
        while True:
            before = file.come
            try:
                self._fetch_rest(path, file)
            except _CUT as error:
                # A line on which something moves is not given up.
                tried = tried + 1 if file.come == before else 1
                if tried > self._session.patience.tries:
                    raise PeerError("peer_unreachable") from error
                self._session.pace.sleep(self._session.patience.pause(tried))
            else:
                return

    def _fetch_rest(self, path: str, file: "_Incoming") -> None:
        """Add to the file until its end; a server that cannot go on, or has another file by now, starts over."""
        headers = {"Range": f"bytes={file.come}-", "If-Range": file.tag} if file.come and file.tag else {}
        with self.call("GET", path, headers=headers, stream=True) as response:
            if response.status_code != 206:
                file.start_over(response.headers.get("ETag", ""))
            for piece in response.iter_content(_PIECE):
                self._session.pace.move(len(piece))
                file.add(piece)

    @contextmanager
    def translating(self) -> Iterator[None]:
        """Say of whatever pyodk and the line do wrong what it means for an exchange."""
        try:
            yield
        except PyODKError as error:
            response = next((one for one in error.args[1:] if isinstance(one, requests.Response)), None)
            if response is None:
                raise PeerError("peer_confused") from error
            refuse(response)
        except (ValueError, TypeError) as error:
            # pyodk makes its models of whatever was answered.
            raise PeerError("peer_confused") from error
        except requests.RequestException as error:
            raise PeerError("peer_unreachable") from error
